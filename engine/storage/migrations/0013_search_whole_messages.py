from __future__ import annotations

from django.db import migrations, models

TABLE = (
    "CREATE VIRTUAL TABLE {name} USING fts5(subject, sender, recipients,"
    " copies, files, text, mailbox, tokenize = '{tokenizer}')"
)
COPY = (
    "INSERT INTO storage_search_new"
    " (rowid, subject, sender, recipients, copies, files, text, mailbox)"
    " SELECT rowid, subject, sender, recipients, copies, files, text, mailbox"
    " FROM storage_search"
)
PIECES = {
    "sqlite": [TABLE.format(name="storage_search_pieces", tokenizer="ascii")],
    "postgresql": [
        (
            "CREATE TABLE storage_search_pieces (message_id bigint NOT NULL,"
            " number smallint NOT NULL, words tsvector NOT NULL,"
            " PRIMARY KEY (message_id, number))"
        ),
        "CREATE INDEX storage_search_pieces_words ON storage_search_pieces USING gin (words)",
    ],
}


def _remake(schema_editor, tokenizer):
    if schema_editor.connection.vendor != "sqlite":
        return
    schema_editor.execute(TABLE.format(name="storage_search_new", tokenizer=tokenizer))
    schema_editor.execute(COPY)
    schema_editor.execute("DROP TABLE storage_search")
    schema_editor.execute("ALTER TABLE storage_search_new RENAME TO storage_search")


def create(apps, schema_editor):
    """The other tokenizer takes letters newer than Unicode 6.1 for spaces (SQLite)."""
    _remake(schema_editor, "ascii")
    for statement in PIECES[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE storage_search_pieces")
    _remake(schema_editor, "unicode61 remove_diacritics 0")


class Migration(migrations.Migration):
    dependencies = [("storage", "0012_content_keys")]

    operations = [
        migrations.CreateModel(
            name="SearchGap",
            fields=[
                (
                    "message_id",
                    models.BigIntegerField(primary_key=True, serialize=False),
                ),
                ("mailbox_id", models.BigIntegerField(db_index=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("encrypted", "Encrypted"),
                            ("too_long", "Too long"),
                            ("too_many_parts", "Too many parts"),
                            ("missing", "Text missing"),
                            ("fault", "Not readable"),
                        ],
                        max_length=20,
                    ),
                ),
            ],
        ),
        migrations.RunPython(create, drop),
    ]
