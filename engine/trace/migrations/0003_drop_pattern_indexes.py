from __future__ import annotations

from django.db import migrations

from engine.database import pattern_indexes


class Migration(migrations.Migration):
    dependencies = [
        ("trace", "0002_thin_the_trace"),
    ]

    operations = [
        migrations.RunPython(
            pattern_indexes.drop("trace_event", "reference", "recipient"),
            migrations.RunPython.noop,
        ),
    ]
