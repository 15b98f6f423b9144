from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0003_unfinished_passes")]

    operations = [
        migrations.CreateModel(
            name="WithdrawnMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("reference", models.CharField(max_length=32)),
                ("occasion", models.CharField(max_length=60)),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["occasion"], name="withdrawn_message_occasion")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("reference", "occasion"), name="withdrawn_message_once"
                    )
                ],
            },
        ),
    ]
