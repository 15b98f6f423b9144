from __future__ import annotations

from django.db import migrations, models

TABLE = """
    CREATE VIRTUAL TABLE registry_directory_words USING fts5(
        words, content='registry_directoryentry', content_rowid='id',
        tokenize="{tokenizer} tokenchars '='", prefix='1 2 3 4 5 6'
    )
"""
FILL = (
    "INSERT INTO registry_directory_words (registry_directory_words) VALUES ('rebuild')"
)


def _remake(schema_editor, tokenizer):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE registry_directory_words")
        schema_editor.execute(TABLE.format(tokenizer=tokenizer))
        schema_editor.execute(FILL)


def keep_all_letters(apps, schema_editor):
    """The other tokenizer takes letters newer than Unicode 6.1 for spaces (SQLite)."""
    _remake(schema_editor, "ascii")


def forget_new_letters(apps, schema_editor):
    _remake(schema_editor, "unicode61 remove_diacritics 0")


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0018_index_suspended_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="IndexPass",
            fields=[
                (
                    "name",
                    models.CharField(max_length=40, primary_key=True, serialize=False),
                ),
                (
                    "version",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="of the folding that the index is being brought to",
                    ),
                ),
                (
                    "position",
                    models.BigIntegerField(
                        default=0, help_text="where the next step begins, to the index"
                    ),
                ),
                ("is_finished", models.BooleanField(default=False)),
            ],
        ),
        migrations.RunPython(keep_all_letters, forget_new_letters),
    ]
