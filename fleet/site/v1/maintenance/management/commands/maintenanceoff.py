from django.core.management.base import BaseCommand

from maintenance.models import Announcement


class Command(BaseCommand):
    help = "Takes back the announcement of a maintenance."

    def handle(self, *args, **options):
        deleted, _ = Announcement.objects.filter(pk=1).delete()
        self.stdout.write("Maintenance announcement removed" if deleted
                          else "No maintenance was announced")
