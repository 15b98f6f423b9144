from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("webmail", "0004_contact_words"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="contact",
            index=models.Index(
                fields=["id"],
                condition=models.Q(words=None),
                name="contact_no_words",
            ),
        ),
    ]
