from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Upper

from engine.database import pattern_indexes
from engine.database.index_operations import AddIndexBesideTraffic, DropIndexOfField


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("queue", "0006_index_troubled_recipients"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="queuedmessage",
            index=models.Index(
                "organisation_id", Upper("sender"), "id", name="queued_of_sender"
            ),
        ),
        # The index above begins with it.
        DropIndexOfField(
            model_name="queuedmessage",
            name="organisation_id",
            field=models.BigIntegerField(
                help_text="the sender's, where there is one", null=True
            ),
        ),
        AddIndexBesideTraffic(
            model_name="recipient",
            index=models.Index(fields=["address", "id"], name="recipient_by_address"),
        ),
        AddIndexBesideTraffic(
            model_name="recipient",
            index=models.Index(
                fields=["destination", "id"],
                condition=models.Q(("destination", "mailbox"), _negated=True),
                name="recipient_by_destination",
            ),
        ),
        AddIndexBesideTraffic(
            model_name="recipient",
            index=models.Index(
                fields=["status", "id"],
                condition=models.Q(status__in=["queued", "held", "failed", "dropped"]),
                name="recipient_by_status",
            ),
        ),
        # The index above finds what they found.
        migrations.RemoveIndex(model_name="recipient", name="recipient_waiting"),
        migrations.RemoveIndex(model_name="recipient", name="recipient_troubled"),
        migrations.RunPython(
            pattern_indexes.drop("queue_queuedmessage", "reference", "fingerprint"),
            migrations.RunPython.noop,
        ),
    ]
