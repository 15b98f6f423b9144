from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

# For the engine of the version before. On SQLite there is no second host that could
# still run it.
OLD_NAME = """
    CREATE VIEW storage_errand AS
    SELECT id, kind, message_id, target, attempts, due_at FROM storage_automaticmail
    WHERE set_aside_at IS NULL
"""


def keep_old_name(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(OLD_NAME, params=None)


def drop_old_name(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP VIEW storage_errand")


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0009_export_progress"),
    ]

    operations = [
        migrations.RenameModel(old_name="Errand", new_name="AutomaticMail"),
        migrations.AlterField(
            model_name="automaticmail",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="automatic_mail",
                to="storage.message",
            ),
        ),
        migrations.RunPython(keep_old_name, drop_old_name),
    ]
