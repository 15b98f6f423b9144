from __future__ import annotations

from django.db import migrations, models

from engine.database.column_operations import AddFieldInPlace


class Migration(migrations.Migration):
    dependencies = [("storage", "0013_search_whole_messages")]

    operations = [
        AddFieldInPlace(
            model_name="message",
            name="reference",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the queue's; empty in drafts, and in mail stored before it was kept",
                max_length=32,
            ),
        ),
    ]
