from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0010_rename_errand_to_automatic_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="blob_key",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=80
            ),
        ),
    ]
