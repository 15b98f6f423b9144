from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Renames two models. Their tables keep their names, so that a host that still
    runs the release before works on.
    """

    dependencies = [
        ("storage", "0001_initial"),
        ("webmail", "0002_encrypted_files"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # A model with a table name of its own keeps the table when it is renamed.
        migrations.AlterModelTable(name="habits", table="webmail_habits"),
        migrations.RenameModel("Habits", "WritingPreferences"),
        migrations.AlterModelOptions(
            name="writingpreferences",
            options={"verbose_name_plural": "writing preferences"},
        ),
        migrations.AlterField(
            model_name="writingpreferences",
            name="person",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="writing_preferences",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="writingpreferences",
            name="undo_seconds",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (0, "Send immediately"),
                    (10, "10 seconds"),
                    (30, "30 seconds"),
                ],
                default=10,
            ),
        ),
        migrations.AlterModelTable(name="departure", table="webmail_departure"),
        migrations.RenameModel("Departure", "ScheduledSend"),
        migrations.AlterField(
            model_name="scheduledsend",
            name="message",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scheduled_send",
                to="storage.message",
            ),
        ),
        migrations.AlterField(
            model_name="scheduledsend",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scheduled_sends",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
