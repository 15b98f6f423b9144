from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webmail", "0009_ask_about_new_recipients"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftfile",
            name="picture_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the Content-ID of a picture in the text",
                max_length=255,
            ),
        ),
        migrations.AddField(
            model_name="writingpreferences",
            name="writes_rich_text",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="write with bold, lists and pictures",
            ),
        ),
    ]
