import socket

import coralbase
from django.http import JsonResponse
from django.shortcuts import render

from config import VERSION
from maintenance.models import Announcement

from .models import Heartbeat, Reef


def home(request):
    return render(request, "reefs/home.html",
                  {"host": socket.gethostname(), "reefs": Reef.objects.order_by("name")})


def status(request):
    announcement = Announcement.current()
    return JsonResponse({
        "version": VERSION,
        "host": socket.gethostname(),
        "coralbase": coralbase.__version__,
        "maintenance": announcement and announcement.start,
        "heartbeats": {beat.host: beat.seen for beat in Heartbeat.objects.order_by("host")},
    })
