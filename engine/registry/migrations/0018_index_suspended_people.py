from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("registry", "0017_index_rare_rows"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="person",
            index=models.Index(
                fields=["organisation", "id"],
                condition=models.Q(is_active=False),
                name="suspended_in_organisation",
            ),
        ),
    ]
