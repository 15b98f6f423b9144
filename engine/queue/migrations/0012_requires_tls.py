from __future__ import annotations

from django.db import migrations, models

from engine.database.column_operations import AddFieldInPlace


class Migration(migrations.Migration):
    dependencies = [
        ("queue", "0011_held_without_proof"),
    ]

    operations = [
        AddFieldInPlace(
            model_name="queuedmessage",
            name="requires_tls",
            field=models.BooleanField(
                db_default=False, default=False, help_text="REQUIRETLS, RFC 8689"
            ),
        ),
    ]
