from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Renames three models; their tables keep their names, so no row moves."""

    dependencies = [
        ("api", "0004_the_time_of_answers_is_the_databases"),
    ]

    operations = [
        migrations.AlterModelTable("keptanswer", "api_keptanswer"),
        migrations.RenameModel("KeptAnswer", "IdempotentResponse"),
        migrations.AlterModelTable("webhookstanding", "api_webhookstanding"),
        migrations.RenameModel("WebhookStanding", "WebhookBackoff"),
        migrations.AlterModelTable("webhookmark", "api_webhookmark"),
        migrations.RenameModel("WebhookMark", "WebhookCursor"),
        migrations.AlterField(
            model_name="webhookbackoff",
            name="endpoint",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="backoff",
                to="registry.webhookendpoint",
            ),
        ),
        migrations.AlterField(
            model_name="webhookcall",
            name="source",
            field=models.CharField(
                help_text="the event's origin, such as trace:17:message.delivered",
                max_length=80,
            ),
        ),
    ]
