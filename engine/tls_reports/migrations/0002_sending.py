from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tls_reports", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SentReport",
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
                ("policy_domain", models.CharField(max_length=255)),
                ("day", models.DateField()),
                ("address", models.CharField(blank=True, max_length=400)),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("policy_domain", "day", "address"),
                        name="tls_report_sent_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
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
                ("policy_type", models.CharField(max_length=20)),
                ("policy_domain", models.CharField(max_length=255)),
                (
                    "policy",
                    models.JSONField(
                        default=list, help_text="its strings, as reports quote it"
                    ),
                ),
                ("host", models.CharField(max_length=255)),
                (
                    "result",
                    models.CharField(
                        blank=True, help_text="empty: encrypted", max_length=40
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["at", "policy_domain"], name="tls_session_at")
                ],
            },
        ),
    ]
