import json
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent

_secrets_file = BASE_DIR / "secrets.json"
try:
    _secrets = json.loads(_secrets_file.read_text(encoding="utf-8"))
except FileNotFoundError:
    raise ImproperlyConfigured(f"{_secrets_file} is missing: it holds the passwords, outside git")


def secret(name):
    try:
        return _secrets[name]
    except KeyError:
        raise ImproperlyConfigured(f"{_secrets_file} has no {name!r}: add it there")


SECRET_KEY = secret("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "maintenance",
    "reefs",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "maintenance.context.site",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "coralnet",
        "USER": "coralnet",
        "PASSWORD": secret("DATABASE_PASSWORD"),
        "HOST": secret("DATABASE_HOST"),
        "PORT": 5432,
        "OPTIONS": {"connect_timeout": 5},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = "/srv/www/static"

CELERY_BROKER_URL = secret("BROKER_URL")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "reefs.tasks.heartbeat", "schedule": 5.0},
}
