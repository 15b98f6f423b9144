from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("queue", "0005_held_after_a_restore"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="recipient",
            index=models.Index(
                fields=["status", "id"],
                condition=models.Q(status__in=["held", "failed", "dropped"]),
                name="recipient_troubled",
            ),
        ),
    ]
