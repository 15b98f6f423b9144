from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import engine.database.clock


class Migration(migrations.Migration):
    """Adds the messages that test keys send."""

    dependencies = [
        ("api", "0005_plain_model_names"),
        ("registry", "0026_test_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="SandboxMessage",
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
                ("reference", models.CharField(max_length=32, unique=True)),
                ("sender", models.CharField(max_length=254)),
                (
                    "outcomes",
                    models.JSONField(
                        default=dict, help_text="what happens to it, by recipient"
                    ),
                ),
                ("raw", models.BinaryField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True, default=engine.database.clock.now
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sandbox_messages",
                        to="registry.organisation",
                    ),
                ),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="SandboxCopy",
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
                    "is_sent",
                    models.BooleanField(help_text="in Sent, and else in the inbox"),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="registry.mailbox",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="copies",
                        to="api.sandboxmessage",
                    ),
                ),
            ],
            options={"ordering": ["-id"]},
        ),
    ]
