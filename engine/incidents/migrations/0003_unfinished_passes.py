from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0002_rescans"),
    ]

    operations = [
        migrations.AddField(
            model_name="withdrawal",
            name="is_unfinished",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="something was being delivered in this pass",
            ),
        ),
    ]
