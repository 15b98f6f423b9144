from __future__ import annotations

from django.db import migrations, models

from engine.database.column_operations import AddFieldInPlace


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0022_labels_and_reminders"),
    ]

    operations = [
        AddFieldInPlace(
            model_name="automaticmail",
            name="requires_tls",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="as the message did, RFC 8689 §6",
            ),
        ),
    ]
