from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queue", "0007_index_what_is_listed"),
    ]

    operations = [
        migrations.AddField(
            model_name="recipient",
            name="received_by_id",
            field=models.BigIntegerField(
                help_text="the organisation that has the address; only on the first of "
                "its recipients, so that a message is listed once",
                null=True,
            ),
        ),
    ]
