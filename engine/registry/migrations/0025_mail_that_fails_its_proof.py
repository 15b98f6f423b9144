from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0024_allow_web_push"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="unproven_mail",
            field=models.CharField(
                choices=[
                    ("accept", "Accept it, with the results in its header"),
                    ("hold", "Hold it until an operator decides"),
                    ("refuse", "Refuse it"),
                ],
                db_default="accept",
                default="accept",
                help_text="what is done with its mail that fails DMARC or DKIM",
                max_length=10,
            ),
        ),
    ]
