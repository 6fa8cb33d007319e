from django.db import migrations


class Migration(migrations.Migration):
    """Fails on purpose, half way: the rows do not satisfy the constraint."""

    dependencies = [("reefs", "0003_reef_depth")]
    operations = [
        migrations.RunSQL("ALTER TABLE reefs_reef ADD COLUMN survey_year integer"),
        migrations.RunSQL("ALTER TABLE reefs_reef ADD CONSTRAINT reefs_reef_deep_enough CHECK (depth > 5)"),
    ]
