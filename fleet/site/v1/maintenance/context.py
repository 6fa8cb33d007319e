from django.utils import timezone

import coralbase
from config import VERSION

from .models import Announcement


def site(request):
    announcement = Announcement.current()
    return {
        "version": VERSION,
        "banner": coralbase.banner(),
        "maintenance": announcement,
        "maintenance_begun": announcement is not None and announcement.start <= timezone.now(),
    }
