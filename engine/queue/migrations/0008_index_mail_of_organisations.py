from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("queue", "0007_index_what_is_listed"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="queuedmessage",
            index=models.Index(
                fields=["organisation_id", "id"],
                condition=models.Q(("source", "list"), _negated=True),
                name="queued_of_organisation",
            ),
        ),
        migrations.AddField(
            model_name="recipient",
            name="received_by_id",
            field=models.BigIntegerField(
                help_text="the organisation that has the address; only on the first of "
                "its recipients, so that a message is listed once",
                null=True,
            ),
        ),
        AddIndexBesideTraffic(
            model_name="recipient",
            index=models.Index(
                fields=["received_by_id", "message"],
                condition=models.Q(received_by_id__isnull=False),
                name="recipient_by_organisation",
            ),
        ),
    ]
