from django.db import models


class Announcement(models.Model):
    """The announced maintenance. There is at most one row, with id 1."""

    start = models.DateTimeField()
    message = models.CharField(max_length=500, blank=True)

    @classmethod
    def current(cls):
        return cls.objects.filter(pk=1).first()
