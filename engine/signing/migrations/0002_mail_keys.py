import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signing", "0001_signing_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailKey",
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
                    "algorithm",
                    models.CharField(help_text="as in the tag a=", max_length=24),
                ),
                ("selector", models.CharField(max_length=63, unique=True)),
                ("state", models.CharField(default="next", max_length=8)),
                (
                    "public_key",
                    models.TextField(help_text="as in the tag p= of its record"),
                ),
                ("sealed_private_key", models.TextField(help_text="PKCS #8, sealed")),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("used_since", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["selector"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "current")),
                        fields=("algorithm",),
                        name="mail_key_one_current",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="KeyRecord",
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
                ("domain", models.CharField(max_length=253)),
                ("is_visible", models.BooleanField(default=False)),
                (
                    "problem",
                    models.TextField(
                        blank=True, help_text="what is wrong, and what to do"
                    ),
                ),
                (
                    "seen_at",
                    models.DateTimeField(help_text="when it was last right", null=True),
                ),
                ("checked_at", models.DateTimeField()),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="records",
                        to="signing.mailkey",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key", "domain"), name="key_record_one_each"
                    )
                ],
            },
        ),
    ]
