import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="KeyIndex",
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
                    "position",
                    models.BigIntegerField(
                        default=0, help_text="id of a queued message"
                    ),
                ),
                (
                    "since",
                    models.DateTimeField(
                        help_text="of the first message indexed", null=True
                    ),
                ),
                (
                    "until",
                    models.DateTimeField(
                        help_text="all before it are indexed", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MessageKey",
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
                    "key",
                    models.BinaryField(help_text="see message_keys", max_length=16),
                ),
                ("at", models.DateTimeField(help_text="when the message was accepted")),
                ("reference", models.CharField(max_length=32)),
            ],
            options={
                "indexes": [models.Index(fields=["key", "at"], name="message_key_at")],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
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
                    "criteria",
                    models.JSONField(default=dict, help_text="as typed, for the page"),
                ),
                ("keys", models.JSONField(default=list)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "reason",
                    models.CharField(help_text="recipients read it", max_length=300),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Waiting for two operators"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("refused", "Not carried out"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                (
                    "found",
                    models.PositiveIntegerField(
                        default=0, help_text="messages, when asked"
                    ),
                ),
                ("asked_by_id", models.BigIntegerField()),
                ("asked_by", models.CharField(max_length=320)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("refused_by", models.CharField(blank=True, max_length=320)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("passes", models.PositiveSmallIntegerField(default=0)),
                ("position_at", models.DateTimeField(null=True)),
                ("position_id", models.BigIntegerField(default=0)),
                (
                    "messages",
                    models.PositiveIntegerField(
                        default=0, help_text="looked at so far"
                    ),
                ),
                (
                    "copies",
                    models.PositiveIntegerField(default=0, help_text="moved so far"),
                ),
                (
                    "used",
                    models.PositiveIntegerField(
                        default=0, help_text="that had been opened"
                    ),
                ),
                (
                    "stopped",
                    models.PositiveIntegerField(default=0, help_text="recipients held"),
                ),
                (
                    "undoes",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="incidents.withdrawal",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Agreement",
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
                ("person_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=320)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "withdrawal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="agreements",
                        to="incidents.withdrawal",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("withdrawal", "person_id"),
                        name="agreement_one_for_each",
                    )
                ],
            },
        ),
    ]
