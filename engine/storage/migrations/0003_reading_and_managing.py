import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0002_used_bytes"),
        ("storage", "0002_count_what_mailboxes_hold"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Answered",
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
                ("sender", models.CharField(max_length=254)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Errand",
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
                        choices=[("forward", "Forward"), ("answer", "Out of office")],
                        max_length=10,
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        blank=True, help_text="of a forward", max_length=254
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "due_at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Export",
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
                    "token",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("writing", "Being written"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("gone", "Removed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="MailboxSettings",
            fields=[
                (
                    "mailbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="settings",
                        serialize=False,
                        to="registry.mailbox",
                    ),
                ),
                ("shows_conversations", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="OutOfOffice",
            fields=[
                (
                    "mailbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="out_of_office",
                        serialize=False,
                        to="registry.mailbox",
                    ),
                ),
                ("is_on", models.BooleanField(default=False)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(max_length=5000)),
            ],
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="retention",
                        serialize=False,
                        to="registry.organisation",
                    ),
                ),
                (
                    "deleted_days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(365),
                        ],
                    ),
                ),
                (
                    "junk_days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(365),
                        ],
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Rule",
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
                ("position", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("from_contains", models.CharField(blank=True, max_length=200)),
                ("to_contains", models.CharField(blank=True, max_length=200)),
                ("subject_contains", models.CharField(blank=True, max_length=200)),
                ("has_attachments", models.BooleanField(default=False)),
                (
                    "larger_than",
                    models.PositiveBigIntegerField(help_text="octets", null=True),
                ),
                ("marks_read", models.BooleanField(default=False)),
                ("flags", models.BooleanField(default=False)),
                ("forward_to", models.CharField(blank=True, max_length=254)),
                ("stops", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["position", "id"],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="expires_at",
            field=models.DateTimeField(
                help_text="when it goes for good, in Deleted and Junk", null=True
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="is_indexed",
            field=models.BooleanField(
                db_default=False, default=False, help_text="search finds its words"
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="thread",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="the same for all of one conversation",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["folder", "thread", "-id"], name="message_by_thread"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("is_read", False)),
                fields=["folder"],
                name="message_unread",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("is_indexed", False)),
                fields=["mailbox"],
                name="message_not_indexed",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("is_flagged", True)),
                fields=["folder", "-id"],
                name="message_flagged",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)),
                fields=["expires_at"],
                name="message_expiring",
            ),
        ),
        migrations.AddField(
            model_name="answered",
            name="mailbox",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="answered",
                to="registry.mailbox",
            ),
        ),
        migrations.AddField(
            model_name="errand",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="errands",
                to="storage.message",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="folder",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="storage.folder",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="mailbox",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exports",
                to="registry.mailbox",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="folder",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rules",
                to="storage.folder",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="mailbox",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rules",
                to="registry.mailbox",
            ),
        ),
        migrations.AddConstraint(
            model_name="answered",
            constraint=models.UniqueConstraint(
                fields=("mailbox", "sender"), name="answered_sender_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["waiting", "writing"])),
                fields=("mailbox",),
                name="export_one_at_a_time",
            ),
        ),
    ]
