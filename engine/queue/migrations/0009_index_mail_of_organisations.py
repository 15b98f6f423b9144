from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("queue", "0008_mail_of_organisations"),
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
        AddIndexBesideTraffic(
            model_name="recipient",
            index=models.Index(
                fields=["received_by_id", "message"],
                condition=models.Q(received_by_id__isnull=False),
                name="recipient_by_organisation",
            ),
        ),
    ]
