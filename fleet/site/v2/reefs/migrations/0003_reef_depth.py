from django.db import migrations, models

DEPTHS = {"Moorea outer 10m": 10, "Heron slope": 7, "Kingman lagoon": 4}


def fill(apps, schema_editor):
    reef = apps.get_model("reefs", "Reef")
    for name, depth in DEPTHS.items():
        reef.objects.filter(name=name).update(depth=depth)


class Migration(migrations.Migration):

    dependencies = [("reefs", "0002_first_reefs")]
    operations = [
        migrations.AddField("reef", "depth", models.PositiveIntegerField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
