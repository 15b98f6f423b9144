from __future__ import annotations

from django.db import migrations, models
from django.utils import timezone

# The engine of the version before reads `registry_stamp`, reloads its routes when the
# version there has changed, and changes it itself. A gap in the log makes followers of
# the log reload theirs. On SQLite there is no second host that could still run it.
OLD_NAME = """
CREATE VIEW registry_stamp AS
    SELECT id, sequence::text AS version FROM registry_changelogend;
CREATE FUNCTION registry_stamp_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    INSERT INTO registry_changelogend (id, sequence) VALUES (NEW.id, 2)
        ON CONFLICT (id) DO UPDATE SET sequence = registry_changelogend.sequence + 2
        RETURNING sequence INTO last;
    INSERT INTO registry_change (sequence, kind, row_id, mark, at)
        VALUES (last, 'other', 0, substr(md5(random()::text), 1, 16), clock_timestamp());
    RETURN NEW;
END
$$;
CREATE TRIGGER registry_stamp_changed INSTEAD OF INSERT OR UPDATE ON registry_stamp
    FOR EACH ROW EXECUTE FUNCTION registry_stamp_changed();
"""
NO_OLD_NAME = """
DROP VIEW registry_stamp;
DROP FUNCTION registry_stamp_changed();
"""


def keep_old_name(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(OLD_NAME, params=None)


def drop_old_name(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(NO_OLD_NAME)


class Migration(migrations.Migration):
    """The change log takes the place of the version that moved with every change.

    The log begins empty: each process of this version reads everything when it starts.
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
        migrations.RunPython(keep_old_name, drop_old_name),
    ]
