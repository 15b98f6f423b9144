from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("trace", "0009_events_of_links")]

    operations = [
        AddIndexBesideTraffic(
            model_name="event",
            index=models.Index(
                fields=["kind", "-id"],
                condition=models.Q(
                    kind__in=["downloaded", "link_refused", "link_ended"]
                ),
                name="event_of_link",
            ),
        ),
    ]
