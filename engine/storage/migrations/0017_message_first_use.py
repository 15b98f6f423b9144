from __future__ import annotations

from django.db import migrations, models

from engine.database.column_operations import AddFieldInPlace


class Migration(migrations.Migration):
    dependencies = [("storage", "0016_decide_on_attachments")]

    operations = [
        AddFieldInPlace(
            model_name="message",
            name="first_use",
            field=models.CharField(
                blank=True,
                choices=[
                    ("opened", "Opened in webmail"),
                    ("fetched", "Fetched by a program"),
                    ("forwarded", "Forwarded by a rule"),
                    ("unknown", "Delivered before this was recorded"),
                ],
                db_default="unknown",
                default="",
                help_text="empty while nobody has seen the content",
                max_length=10,
            ),
        ),
    ]
