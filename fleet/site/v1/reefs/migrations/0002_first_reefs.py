from django.db import migrations

REEFS = [
    ("Moorea outer 10m", "French Polynesia"),
    ("Heron slope", "Great Barrier Reef"),
    ("Kingman lagoon", "Line Islands"),
]


def add(apps, schema_editor):
    reef = apps.get_model("reefs", "Reef")
    for name, region in REEFS:
        reef.objects.get_or_create(name=name, defaults={"region": region})


class Migration(migrations.Migration):

    dependencies = [("reefs", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
