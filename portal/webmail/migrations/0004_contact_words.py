from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webmail", "0003_writing_preferences_and_scheduled_sends"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
    ]
