from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("storage", "0014_message_reference")]

    operations = [
        AddIndexBesideTraffic(
            model_name="message",
            index=models.Index(
                condition=models.Q(envelope_sender="", reference__gt=""),
                fields=["reference"],
                name="message_sent_reference",
            ),
        ),
    ]
