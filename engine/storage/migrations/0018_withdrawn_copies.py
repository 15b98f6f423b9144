from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0021_index_words"),
        ("storage", "0017_message_first_use"),
    ]

    operations = [
        migrations.CreateModel(
            name="WithdrawnCopy",
            fields=[
                (
                    "envelope_sender",
                    models.CharField(
                        blank=True,
                        help_text="becomes Return-Path; empty when null",
                        max_length=254,
                    ),
                ),
                (
                    "received_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("from_name", models.CharField(blank=True, max_length=200)),
                ("from_address", models.CharField(blank=True, max_length=254)),
                ("to_summary", models.CharField(blank=True, max_length=300)),
                ("subject", models.CharField(blank=True, max_length=300)),
                (
                    "message_id",
                    models.CharField(blank=True, db_index=True, max_length=300),
                ),
                (
                    "size",
                    models.PositiveBigIntegerField(help_text="octets, header and body"),
                ),
                ("has_attachments", models.BooleanField(default=False)),
                ("is_read", models.BooleanField(default=False)),
                ("is_flagged", models.BooleanField(default=False)),
                ("is_answered", models.BooleanField(default=False)),
                ("is_draft", models.BooleanField(default=False)),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="the queue's; empty in drafts, and in mail stored before it was kept",
                        max_length=32,
                    ),
                ),
                (
                    "first_use",
                    models.CharField(
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
                (
                    "thread",
                    models.BigIntegerField(
                        db_default=0,
                        default=0,
                        help_text="the same for all of one conversation",
                    ),
                ),
                (
                    "id",
                    models.BigIntegerField(
                        help_text="the id that the message had, and gets back",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "folder_id",
                    models.BigIntegerField(help_text="the folder that it was in"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("recalled", "Recalled by its sender"),
                            ("operator", "Withdrawn by the operator of the service"),
                            ("infected", "Found infected, and withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "occasion",
                    models.CharField(
                        blank=True,
                        help_text="finds all copies of one withdrawal",
                        max_length=60,
                    ),
                ),
                (
                    "by_key",
                    models.CharField(
                        blank=True, help_text="as in the audit", max_length=80
                    ),
                ),
                ("by_name", models.CharField(max_length=320)),
                ("withdrawn_at", models.DateTimeField()),
                (
                    "expires_at",
                    models.DateTimeField(
                        db_index=True,
                        help_text="when it goes for good, unless it was put back",
                    ),
                ),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawn_copies",
                        to="storage.content",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="withdrawn_copies",
                        to="registry.mailbox",
                    ),
                ),
            ],
            options={
                "ordering": ["-withdrawn_at", "-id"],
                "indexes": [
                    models.Index(
                        fields=["mailbox", "-withdrawn_at"], name="withdrawn_by_mailbox"
                    ),
                    models.Index(
                        condition=models.Q(("occasion__gt", "")),
                        fields=["occasion", "id"],
                        name="withdrawn_by_occasion",
                    ),
                ],
            },
        ),
    ]
