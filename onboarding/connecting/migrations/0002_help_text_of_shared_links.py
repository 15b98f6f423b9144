from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connecting", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="sharedlink",
            name="name",
            field=models.CharField(help_text="who it is for", max_length=100),
        ),
    ]
