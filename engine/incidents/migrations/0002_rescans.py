import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rescan",
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
                ("since", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped by an operator"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("signatures", models.CharField(blank=True, max_length=500)),
                ("started_by_id", models.BigIntegerField()),
                ("started_by", models.CharField(max_length=320)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "newest",
                    models.BigIntegerField(
                        default=0, help_text="the id that it began at"
                    ),
                ),
                ("position", models.BigIntegerField()),
                (
                    "at",
                    models.DateTimeField(
                        help_text="when what is scanned now arrived", null=True
                    ),
                ),
                ("scanned", models.PositiveIntegerField(default=0)),
                ("unreadable", models.PositiveIntegerField(default=0)),
                ("infected", models.PositiveIntegerField(default=0)),
                ("copies", models.PositiveIntegerField(default=0)),
                (
                    "stopped",
                    models.PositiveIntegerField(default=0, help_text="recipients held"),
                ),
                (
                    "fault",
                    models.CharField(
                        blank=True, help_text="why it waits", max_length=300
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")),
                        fields=("state",),
                        name="rescan_one_at_a_time",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="rescan",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="incidents.rescan",
            ),
        ),
    ]
