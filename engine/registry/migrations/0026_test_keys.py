from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds test keys, and webhook endpoints that hear of the sandbox alone."""

    dependencies = [
        ("registry", "0025_mail_that_fails_its_proof"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="is_test",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="sends into the sandbox alone, and reads no mailbox",
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="is_test",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="is sent what happens in the sandbox, and nothing else",
            ),
        ),
    ]
