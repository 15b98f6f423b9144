from __future__ import annotations

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic, AddTrigramIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("audit", "0001_initial"),
    ]

    operations = [
        TrigramExtension(),
        AddTrigramIndex(
            "audit_entry", "event", "subject_name", "by_name", name="entry_words"
        ),
        AddIndexBesideTraffic(
            model_name="entry",
            index=models.Index(fields=["by_key", "-id"], name="entry_by_actor"),
        ),
    ]
