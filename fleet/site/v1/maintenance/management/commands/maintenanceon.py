from datetime import datetime, timedelta, timezone

from django.core.management.base import BaseCommand, CommandError

from maintenance.models import Announcement


def parse_start(text):
    """'YYYY-MM-DD HH:MM' is UTC; an ISO 8601 time may name its zone."""
    try:
        start = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise CommandError(
            f"--start {text!r} is no time: write 'YYYY-MM-DD HH:MM' (UTC) or ISO 8601 with a zone")
    if start.tzinfo is None:
        start = start.replace(tzinfo=timezone.utc)
    return start.astimezone(timezone.utc)


class Command(BaseCommand):
    help = "Announces a maintenance on every page of the site."

    def add_arguments(self, parser):
        parser.add_argument("--start", help="'YYYY-MM-DD HH:MM' in UTC, or ISO 8601 with a zone; "
                                            "by default in 20 minutes")
        parser.add_argument("--message", default="")

    def handle(self, *args, start=None, message="", **options):
        if start is None:
            when = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=20)
        else:
            when = parse_start(start)
        Announcement.objects.update_or_create(pk=1, defaults={"start": when, "message": message})
        self.stdout.write(f"Maintenance announced: {when:%Y-%m-%d %H:%M} UTC")
