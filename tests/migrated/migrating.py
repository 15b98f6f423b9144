"""`manage.py migrate`, but what Django works out again for each operation is remembered.

Half of the time Django takes fields apart to copy them, and looks for swapped models,
hundreds of thousands of times. The statements that reach the database are the same.
"""

from __future__ import annotations

import copy
import gc
import os
from functools import cache
from typing import Any

import django
from django.apps import apps
from django.core.management import call_command
from django.db.models import Field

_deconstructed = Field.clone


def migrate() -> None:
    """Applies every migration to an empty database."""
    os.umask(0o077)  # as manage.py does
    gc.disable()
    django.setup()
    # Nothing swaps a model while migrations run.
    apps.get_swappable_settings_name = cache(apps.get_swappable_settings_name)
    Field.clone = copied
    call_command("migrate", skip_checks=True, verbosity=0)


def copied(field: Field) -> Any:
    """Copies a field of a migration, which belongs to no model yet.

    Fields that hold others are taken apart and made again, as Django does with all.
    """
    if hasattr(field, "model") or field.is_relation or hasattr(field, "fields"):
        return _deconstructed(field)
    made = copy.copy(field)
    # The order of columns follows it.
    made.creation_counter = Field.creation_counter
    Field.creation_counter += 1
    return made


if __name__ == "__main__":
    migrate()
