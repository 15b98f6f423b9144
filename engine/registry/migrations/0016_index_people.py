from __future__ import annotations

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic, AddTrigramIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("registry", "0015_organisations_without_index"),
    ]

    operations = [
        TrigramExtension(),
        AddTrigramIndex("registry_person", "name", "address", name="person_words"),
        AddIndexBesideTraffic(
            model_name="person",
            index=models.Index(fields=["name", "id"], name="person_by_name"),
        ),
        AddIndexBesideTraffic(
            model_name="person",
            index=models.Index(
                fields=["organisation", "name", "id"], name="person_in_organisation"
            ),
        ),
    ]
