from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Rewords a help text; the table does not change."""

    dependencies = [("organisation", "0004_file_progress")]

    operations = [
        migrations.AlterField(
            model_name="peoplefile",
            name="rows",
            field=models.JSONField(
                default=list, help_text="people to add, as fields by name"
            ),
        ),
    ]
