from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


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
    ]
