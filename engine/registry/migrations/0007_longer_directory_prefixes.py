from django.db import migrations

TABLE = """
    CREATE VIRTUAL TABLE registry_directory_words USING fts5(
        words, content='registry_directoryentry', content_rowid='id',
        tokenize="unicode61 remove_diacritics 0 tokenchars '='", prefix='{lengths}'
    )
"""
FILL = (
    "INSERT INTO registry_directory_words (registry_directory_words) VALUES ('rebuild')"
)


def _remake(schema_editor, lengths):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE registry_directory_words")
        schema_editor.execute(TABLE.format(lengths=lengths))
        schema_editor.execute(FILL)


def lengthen(apps, schema_editor):
    """A beginning of up to six letters is one list, however many words begin so."""
    _remake(schema_editor, "1 2 3 4 5 6")


def shorten(apps, schema_editor):
    _remake(schema_editor, "1 2 3")


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0006_cloud_provider"),
    ]

    operations = [
        migrations.RunPython(lengthen, shorten),
    ]
