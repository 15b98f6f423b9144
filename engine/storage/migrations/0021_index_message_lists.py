from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic, DropIndexOfField


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("storage", "0020_group_work")]

    operations = [
        AddIndexBesideTraffic(
            model_name="message",
            index=models.Index(
                fields=["folder", "assigned_to", "-id"], name="message_by_assignee"
            ),
        ),
        AddIndexBesideTraffic(
            model_name="message",
            index=models.Index(fields=["folder", "size", "id"], name="message_by_size"),
        ),
        AddIndexBesideTraffic(
            model_name="message",
            index=models.Index(
                fields=["folder", "from_address", "id"], name="message_by_sender"
            ),
        ),
        AddIndexBesideTraffic(
            model_name="message",
            index=models.Index(
                condition=models.Q(("has_attachments", True)),
                fields=["folder", "-id"],
                name="message_with_files",
            ),
        ),
        AddIndexBesideTraffic(
            model_name="message",
            index=models.Index(
                condition=models.Q(("assigned_to__gt", 0)),
                fields=["mailbox", "thread"],
                name="message_assigned",
            ),
        ),
        DropIndexOfField(
            model_name="message",
            name="folder",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="storage.folder",
            ),
        ),
    ]
