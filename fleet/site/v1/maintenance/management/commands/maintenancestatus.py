import json

from django.core.management.base import BaseCommand
from django.utils import timezone

from maintenance.models import Announcement


class Command(BaseCommand):
    help = "Prints the announced maintenance as JSON."

    def handle(self, *args, **options):
        announcement = Announcement.current()
        if announcement is None:
            status = {"announced": False, "begun": False, "start": None, "message": ""}
        else:
            status = {
                "announced": True,
                "begun": announcement.start <= timezone.now(),
                "start": announcement.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "message": announcement.message,
            }
        self.stdout.write(json.dumps(status))
