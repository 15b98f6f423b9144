from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connecting", "0003_failing_since")]

    operations = [
        migrations.AddField(
            model_name="watch",
            name="warned_of_waiting_at",
            field=models.DateTimeField(
                help_text="when its people were told that mail waits for its TLS; null "
                "when none does",
                null=True,
            ),
        ),
    ]
