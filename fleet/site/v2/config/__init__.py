VERSION = "2"

from .celery import app as celery_app  # noqa: E402  (shared_task needs the app)

__all__ = ["VERSION", "celery_app"]
