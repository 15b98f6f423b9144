from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("trace", "0003_drop_pattern_indexes"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="event",
            index=models.Index(
                fields=["kind", "-id"],
                condition=models.Q(
                    kind__in=[
                        "refused",
                        "quarantined",
                        "failed",
                        "held",
                        "released",
                        "dropped",
                    ]
                ),
                name="event_of_rare_kind",
            ),
        ),
    ]
