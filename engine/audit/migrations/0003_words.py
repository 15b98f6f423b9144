from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_index_searches"),
    ]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
    ]
