from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("trace", "0007_events_after_delivery")]

    operations = [
        AddIndexBesideTraffic(
            model_name="event",
            index=models.Index(
                fields=["kind", "-id"],
                condition=models.Q(
                    kind__in=["recalled", "withdrawn", "put_back", "not_recalled"]
                ),
                name="event_after_delivery",
            ),
        ),
    ]
