from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0018_withdrawn_copies")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="preview",
            field=models.BinaryField(
                help_text="the beginning of its text; null until it is made", null=True
            ),
        ),
    ]
