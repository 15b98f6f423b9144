"""Fills the columns of folded words of all tables, in steps that a job may resume."""

from __future__ import annotations

from functools import partial

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet

from engine.database import bulk_rows
from engine.folding.columns import FoundByWords
from engine.registry import index_passes

# Rows of one step, which holds their locks.
FILLED = 500


def fill_next() -> int:
    """Does the next step for each table; returns 0 when no row is left.

    Brings every row to the present folding, and then those that a process of an older
    version wrote without words.
    """
    return sum(
        _fill(model) for model in apps.get_models() if issubclass(model, FoundByWords)
    )


def _fill(model: type[FoundByWords]) -> int:
    name = model._meta.label_lower
    return index_passes.step(name, partial(_rewrite, model)) or _write_missing(model)


def _rewrite(model: type[FoundByWords], after: int) -> int | None:
    rows = _write(model, model._base_manager.filter(pk__gt=after))
    return rows[-1].pk if rows else None


@transaction.atomic
def _write_missing(model: type[FoundByWords]) -> int:
    return len(_write(model, model._base_manager.filter(words=None)))


def _write(
    model: type[FoundByWords], found: QuerySet[FoundByWords]
) -> list[FoundByWords]:
    """Writes the words of the first rows, and returns them."""
    # Locked in the order of ids, as everywhere: a name that is changed meanwhile would
    # be found by its old words.
    locked = found.order_by("pk").select_for_update(no_key=True)
    rows = list(locked.only("words", *model.FOUND_BY)[:FILLED])
    outdated = []
    for row in rows:
        before = row.words
        row.write_words()
        if row.words != before:
            outdated.append(row)
    bulk_rows.update(model, ("words",), outdated)
    return rows
