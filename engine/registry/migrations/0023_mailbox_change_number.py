from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0022_sending_stops")]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="change_number",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="another one after each change of its mail; storage counts",
            ),
        ),
    ]
