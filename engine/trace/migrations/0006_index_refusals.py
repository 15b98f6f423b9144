from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("trace", "0005_refusals_of_organisations"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="event",
            index=models.Index(
                fields=["refused_for_id", "id"],
                condition=models.Q(refused_for_id__isnull=False),
                name="event_of_refused",
            ),
        ),
    ]
