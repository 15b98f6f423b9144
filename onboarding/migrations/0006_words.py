from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0005_the_time_of_letters_is_the_databases"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
    ]
