from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from engine.database.column_operations import AddFieldInPlace


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0022_sending_stops"),
        ("storage", "0021_index_message_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddFieldInPlace(
            model_name="mailboxsettings",
            name="archives_by_year",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Archive moves into a year's folder",
            ),
        ),
        migrations.AlterField(
            model_name="folder",
            name="role",
            field=models.CharField(
                choices=[
                    ("inbox", "Inbox"),
                    ("drafts", "Drafts"),
                    ("sent", "Sent"),
                    ("archive", "Archive"),
                    ("junk", "Junk"),
                    ("trash", "Deleted"),
                    ("snoozed", "Snoozed"),
                    ("custom", "Custom"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("name", models.CharField(max_length=30)),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("grey", "Grey"),
                            ("blue", "Blue"),
                            ("green", "Green"),
                            ("yellow", "Yellow"),
                            ("orange", "Orange"),
                            ("red", "Red"),
                            ("pink", "Pink"),
                            ("purple", "Purple"),
                        ],
                        default="grey",
                        max_length=10,
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="registry.mailbox",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="MessageLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="storage.label",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="storage.message",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("snooze", "Snoozed until a time"),
                            ("follow_up", "Reminds if nobody answered"),
                        ],
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("is_due", models.BooleanField(default=False)),
                (
                    "folder",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="storage.folder",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reminders",
                        to="registry.mailbox",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="storage.message",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.UniqueConstraint(
                fields=("mailbox", "name"), name="label_name_once"
            ),
        ),
        migrations.AddIndex(
            model_name="messagelabel",
            index=models.Index(fields=["label", "-message"], name="message_label_list"),
        ),
        migrations.AddConstraint(
            model_name="messagelabel",
            constraint=models.UniqueConstraint(
                fields=("message", "label"), name="message_label_once"
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("is_due", False)),
                fields=["due_at"],
                name="reminder_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                fields=["mailbox", "is_due", "-due_at"], name="reminder_shown"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                fields=("message", "kind"), name="reminder_once"
            ),
        ),
    ]
