from __future__ import annotations

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0019_fold_names"),
        ("webmail", "0005_index_contacts_without_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ArrivalCursor",
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
                ("last_id", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="UnopenedDigest",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="registry.organisation",
                    ),
                ),
                ("week", models.DateField(default=datetime.date(1970, 1, 1))),
            ],
        ),
        migrations.CreateModel(
            name="ArrivalNotice",
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
                    "period",
                    models.CharField(
                        choices=[
                            ("never", "Never"),
                            ("at_once", "As soon as mail arrives"),
                            ("hourly", "Once an hour"),
                            ("daily", "Once a day"),
                        ],
                        default="never",
                        max_length=10,
                    ),
                ),
                ("proved_address", models.CharField(blank=True, max_length=254)),
                ("proved_at", models.DateTimeField(null=True)),
                ("link_sent_at", models.DateTimeField(null=True)),
                ("arrived_to", models.BigIntegerField(default=0)),
                ("announced_to", models.BigIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="arrival_notice",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NoticedMailbox",
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
                ("since", models.BigIntegerField(default=0)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="registry.mailbox",
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="noticed",
                        to="webmail.arrivalnotice",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="arrivalnotice",
            index=models.Index(
                condition=models.Q(("arrived_to__gt", models.F("announced_to"))),
                fields=["sent_at"],
                name="arrival_notice_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticedmailbox",
            constraint=models.UniqueConstraint(
                fields=("notice", "mailbox"), name="noticed_mailbox_once"
            ),
        ),
    ]
