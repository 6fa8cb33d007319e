import socket

from celery import shared_task
from django.utils import timezone


@shared_task
def heartbeat():
    from .models import Heartbeat

    Heartbeat.objects.update_or_create(host=socket.gethostname(), defaults={"seen": timezone.now()})
