import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0021_index_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="SendingStop",
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
                            ("person", "Person"),
                            ("address", "Address"),
                            ("connection", "Connection"),
                            ("organisation", "Organisation"),
                        ],
                        max_length=12,
                    ),
                ),
                ("subject_id", models.PositiveBigIntegerField(default=0)),
                ("address", models.CharField(blank=True, max_length=254)),
                (
                    "name",
                    models.CharField(
                        help_text="as screens and notices name it", max_length=254
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("placed_by", models.CharField(max_length=254)),
                ("placed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sending_stops",
                        to="registry.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "subject_id", "address"),
                        name="sending_stop_one_each",
                    )
                ],
            },
        ),
    ]
