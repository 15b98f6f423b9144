from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webmail", "0008_saved_searches"),
    ]

    operations = [
        migrations.AddField(
            model_name="writingpreferences",
            name="asks_about_new",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="ask before a first message to somebody in another organisation",
            ),
        ),
    ]
