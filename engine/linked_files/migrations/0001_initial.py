from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("registry", "0023_mailbox_change_number"),
        ("storage", "0022_labels_and_reminders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkedFile",
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
                    "secret",
                    models.CharField(
                        help_text="in the link", max_length=64, unique=True
                    ),
                ),
                ("token", models.UUIDField(help_text="of the draft")),
                ("organisation_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=255)),
                ("size", models.PositiveBigIntegerField(help_text="octets")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("clean", "No virus found"),
                            ("encrypted", "Cannot be scanned for viruses"),
                        ],
                        max_length=10,
                    ),
                ),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        help_text="of the message; empty for a draft's",
                        max_length=32,
                    ),
                ),
                ("expires_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("expired", "Expired"),
                            ("stopped", "Sharing stopped by its sender"),
                            ("recalled", "Recalled with its message"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "content",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="storage.content",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="linked_files",
                        to="registry.mailbox",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="linked_files",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="AddressProof",
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
                ("address", models.CharField(help_text="as typed", max_length=254)),
                ("code_digest", models.CharField(blank=True, max_length=64)),
                (
                    "recipient",
                    models.CharField(
                        blank=True,
                        help_text="the address as the message was sent to it",
                        max_length=254,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proofs",
                        to="linked_files.linkedfile",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="linkedfile",
            index=models.Index(
                fields=["mailbox", "token"], name="linked_file_of_draft"
            ),
        ),
        migrations.AddIndex(
            model_name="linkedfile",
            index=models.Index(fields=["person", "-id"], name="linked_file_of_person"),
        ),
        migrations.AddIndex(
            model_name="linkedfile",
            index=models.Index(
                condition=models.Q(("ended_at", None)),
                fields=["organisation_id"],
                name="linked_file_live",
            ),
        ),
        migrations.AddIndex(
            model_name="linkedfile",
            index=models.Index(
                condition=models.Q(("reference__gt", "")),
                fields=["reference"],
                name="linked_file_of_message",
            ),
        ),
        migrations.AddConstraint(
            model_name="linkedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("content__isnull", False), ("end", ""), ("ended_at", None)
                    ),
                    models.Q(
                        ("content", None),
                        ("ended_at__isnull", False),
                        models.Q(("end", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="linked_file_without_content_has_ended",
            ),
        ),
        migrations.AddConstraint(
            model_name="linkedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expires_at", None), ("reference", "")),
                    models.Q(
                        ("expires_at__isnull", False),
                        models.Q(("reference", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="linked_file_expires_once_sent",
            ),
        ),
    ]
