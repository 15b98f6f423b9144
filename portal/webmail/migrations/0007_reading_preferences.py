from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webmail", "0006_arrival_notices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadingPreferences",
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
                (
                    "density",
                    models.CharField(
                        choices=[
                            (
                                "comfortable",
                                "Comfortable: two lines, with the beginning of the text",
                            ),
                            ("compact", "Compact: one line for each message"),
                        ],
                        default="comfortable",
                        max_length=12,
                    ),
                ),
                ("uses_shortcuts", models.BooleanField(default=False)),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reading_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "reading preferences",
                "db_table": "webmail_reading",
            },
        ),
    ]
