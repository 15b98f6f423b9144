from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trace", "0004_index_rare_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="refused_for_id",
            field=models.BigIntegerField(
                help_text="the organisation that was refused; empty for other kinds",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="StrangerCount",
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
                    "source",
                    models.CharField(
                        help_text="an address; IPv6: its /64", max_length=45
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("refusals", models.PositiveBigIntegerField(default=0)),
                ("last_reply", models.CharField(max_length=520)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["hour", "source"], name="stranger_count_one_an_hour"
                    )
                ],
            },
        ),
    ]
