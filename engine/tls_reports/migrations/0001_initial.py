from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Report",
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
                    "reporter",
                    models.CharField(help_text="organization-name", max_length=200),
                ),
                ("report_id", models.CharField(max_length=200)),
                ("contact", models.CharField(blank=True, max_length=200)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("received_at", models.DateTimeField(db_index=True)),
                (
                    "organisation_id",
                    models.BigIntegerField(
                        default=0,
                        help_text="whose connection it came by; 0 for no organisation",
                    ),
                ),
                ("sender", models.CharField(blank=True, max_length=254)),
                ("successes", models.BigIntegerField(default=0, help_text="sessions")),
                ("failures", models.BigIntegerField(default=0, help_text="sessions")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["starts_at", "id"], name="tls_report_day")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation_id", "reporter", "report_id"),
                        name="tls_report_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Failure",
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
                ("policy_type", models.CharField(max_length=20)),
                ("result_type", models.CharField(max_length=40)),
                ("sessions", models.BigIntegerField()),
                ("receiving_host", models.CharField(blank=True, max_length=255)),
                ("sending_address", models.CharField(blank=True, max_length=45)),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="failure_details",
                        to="tls_reports.report",
                    ),
                ),
            ],
        ),
    ]
