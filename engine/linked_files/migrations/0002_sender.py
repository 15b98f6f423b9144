from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("linked_files", "0001_initial"),
        ("registry", "0023_mailbox_change_number"),
    ]

    operations = [
        migrations.AddField(
            model_name="linkedfile",
            name="sender",
            field=models.ForeignKey(
                help_text="the mailbox that sent it, which may be another than the draft's",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="registry.mailbox",
            ),
        ),
        migrations.AlterField(
            model_name="linkedfile",
            name="end",
            field=models.CharField(
                blank=True,
                choices=[
                    ("expired", "Expired"),
                    ("stopped", "Sharing stopped by its sender"),
                    ("recalled", "Recalled with its message"),
                    ("withdrawn", "Sharing stopped by an operator of the service"),
                    ("infected", "Found infected later"),
                ],
                max_length=10,
            ),
        ),
    ]
