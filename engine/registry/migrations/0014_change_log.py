from __future__ import annotations

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    """The change log takes the place of the version that moved with every change.

    The log begins empty: no process runs while its database is migrated, and each reads
    everything when it starts.
    """

    dependencies = [("registry", "0013_secret_keys")]

    operations = [
        migrations.RenameModel("Stamp", "ChangeLogEnd"),
        migrations.RemoveField("changelogend", "version"),
        migrations.AddField(
            "changelogend", "sequence", models.BigIntegerField(default=0)
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "sequence",
                    models.BigIntegerField(primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("organisation", "Organisation"),
                            ("domain", "Domain"),
                            ("connection", "Connection"),
                            ("person", "Person"),
                            ("mailbox", "Mailbox"),
                            ("grants", "All grants of a person"),
                            ("alias", "Alias"),
                            ("list", "Distribution list with its members and posters"),
                            ("allowance", "Sending allowance"),
                            ("provider", "Networks of a cloud provider"),
                            ("other", "Sign-ins"),
                        ],
                        max_length=12,
                    ),
                ),
                ("row_id", models.BigIntegerField()),
                ("mark", models.CharField(max_length=16)),
                ("at", models.DateTimeField(db_index=True, default=timezone.now)),
            ],
            options={"ordering": ["sequence"]},
        ),
    ]
