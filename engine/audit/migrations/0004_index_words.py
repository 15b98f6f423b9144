from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import (
    AddIndexBesideTraffic,
    AddWordsIndex,
    DropTrigramIndex,
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("audit", "0003_words"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="entry",
            index=models.Index(
                fields=["id"], condition=models.Q(words=None), name="entry_no_words"
            ),
        ),
        AddWordsIndex("audit_entry", name="entry_folded"),
        DropTrigramIndex(
            "audit_entry", "event", "subject_name", "by_name", name="entry_words"
        ),
    ]
