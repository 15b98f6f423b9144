from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connecting", "0002_help_text_of_shared_links")]

    operations = [
        migrations.AddField(
            model_name="watch",
            name="failing_since",
            field=models.DateTimeField(
                help_text="the first of the checks in a row that failed", null=True
            ),
        ),
    ]
