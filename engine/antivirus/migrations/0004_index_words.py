from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic, AddWordsIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        # Which creates the extension for indexes of parts of words.
        ("audit", "0002_index_searches"),
        ("antivirus", "0003_words"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="quarantinedmessage",
            index=models.Index(
                fields=["id"],
                condition=models.Q(words=None),
                name="quarantined_no_words",
            ),
        ),
        AddWordsIndex("antivirus_quarantinedmessage", name="quarantined_folded"),
    ]
