from __future__ import annotations

from django.db import migrations


def tell_rare_words(apps, schema_editor):
    """Let PostgreSQL know rare words from common ones.

    Where it does not, it reads a whole index backwards for a word that no message has.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE storage_search ALTER COLUMN words SET STATISTICS 1000"
        )
        schema_editor.execute("ANALYZE storage_search")


class Migration(migrations.Migration):
    dependencies = [("storage", "0004_search")]

    operations = [migrations.RunPython(tell_rare_words, migrations.RunPython.noop)]
