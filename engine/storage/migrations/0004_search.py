from __future__ import annotations

from django.db import migrations
from django.db.models import F

CREATE = {
    "sqlite": [
        (
            "CREATE VIRTUAL TABLE storage_search USING fts5(subject, sender, recipients,"
            " copies, files, text, mailbox, tokenize = 'unicode61 remove_diacritics 0')"
        )
    ],
    "postgresql": [
        (
            "CREATE TABLE storage_search"
            " (message_id bigint PRIMARY KEY, words tsvector NOT NULL)"
        ),
        "CREATE INDEX storage_search_words ON storage_search USING gin (words)",
    ],
}


def create(apps, schema_editor):
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE storage_search")


def separate(apps, schema_editor):
    """What was kept before conversations were is one of its own, each."""
    apps.get_model("storage", "Message").objects.update(thread=-F("id"))


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_reading_and_managing")]

    operations = [
        migrations.RunPython(separate, migrations.RunPython.noop),
        migrations.RunPython(create, drop),
    ]
