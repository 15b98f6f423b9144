from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("antivirus", "0002_scanner_proof"),
    ]

    operations = [
        migrations.AddField(
            model_name="quarantinedmessage",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
    ]
