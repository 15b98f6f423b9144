from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0015_index_references")]

    operations = [
        migrations.AddField(
            model_name="content",
            name="has_attachments",
            field=models.BooleanField(
                help_text="decided on arrival; null where an earlier version did not",
                null=True,
            ),
        ),
    ]
