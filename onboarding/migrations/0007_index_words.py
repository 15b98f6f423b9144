from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic, AddWordsIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        # Which creates the extension for indexes of parts of words.
        ("audit", "0002_index_searches"),
        ("onboarding", "0006_words"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="application",
            index=models.Index(
                fields=["id"],
                condition=models.Q(words=None),
                name="application_no_words",
            ),
        ),
        AddWordsIndex("onboarding_application", name="application_folded"),
    ]
