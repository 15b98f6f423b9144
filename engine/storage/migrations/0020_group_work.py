from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from engine.database.column_operations import AddFieldInPlace


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0022_sending_stops"),
        ("storage", "0019_message_preview"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AnswerInProgress",
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
                ("in_reply_to", models.CharField(max_length=300)),
                ("since", models.DateTimeField()),
                ("active_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="InternalNote",
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
                ("thread", models.BigIntegerField()),
                ("text", models.CharField(max_length=2000)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="MessageAnswer",
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
                ("reference", models.CharField(db_index=True, max_length=32)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="MessageOpening",
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
                ("at", models.DateTimeField()),
            ],
        ),
        AddFieldInPlace(
            model_name="message",
            name="assigned_to",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="a person's id, in group mailboxes; 0: nobody",
            ),
        ),
        AddFieldInPlace(
            model_name="withdrawncopy",
            name="assigned_to",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="a person's id, in group mailboxes; 0: nobody",
            ),
        ),
        migrations.AddField(
            model_name="answerinprogress",
            name="mailbox",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="answers_in_progress",
                to="registry.mailbox",
            ),
        ),
        migrations.AddField(
            model_name="answerinprogress",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="internalnote",
            name="author",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="internalnote",
            name="mailbox",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="internal_notes",
                to="registry.mailbox",
            ),
        ),
        migrations.AddField(
            model_name="internalnote",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="storage.message",
            ),
        ),
        migrations.AddField(
            model_name="messageanswer",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="storage.message",
            ),
        ),
        migrations.AddField(
            model_name="messageanswer",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="messageopening",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="storage.message",
            ),
        ),
        migrations.AddField(
            model_name="messageopening",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="answerinprogress",
            constraint=models.UniqueConstraint(
                fields=("mailbox", "in_reply_to", "person"),
                name="answer_in_progress_once",
            ),
        ),
        migrations.AddIndex(
            model_name="internalnote",
            index=models.Index(
                fields=["mailbox", "thread"], name="internal_note_shown"
            ),
        ),
        migrations.AddIndex(
            model_name="internalnote",
            index=models.Index(fields=["message"], name="internal_note_message"),
        ),
        migrations.AddConstraint(
            model_name="messageanswer",
            constraint=models.UniqueConstraint(
                fields=("message", "reference"), name="message_answer_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="messageopening",
            constraint=models.UniqueConstraint(
                fields=("message", "person"), name="message_opening_once"
            ),
        ),
    ]
