from django.db import models


class Reef(models.Model):
    name = models.CharField(max_length=100, unique=True)
    region = models.CharField(max_length=100)
    depth = models.PositiveIntegerField(null=True)  # in metres

    def __str__(self):
        return self.name


class Heartbeat(models.Model):
    """When celery beat and a worker were last seen at work, a row for each host."""

    host = models.CharField(max_length=100, unique=True)
    seen = models.DateTimeField()
