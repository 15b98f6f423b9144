"""Brings indexes to the present way of folding words, in steps that a job may resume."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from engine.folding.letters import VERSION
from engine.registry.models import IndexPass


def step(name: str, work: Callable[[int], int | None]) -> int:
    """Does the next step of an index's pass; returns 0 when there is nothing left to do.

    `work` gets the position to begin at, 0 at first, and returns the next one, None after
    the last. It and the new position are one transaction: a process that dies repeats
    the step. A step that another process is doing is not begun.
    """
    IndexPass.objects.get_or_create(pk=name)
    with transaction.atomic():
        rows = IndexPass.objects.select_for_update(skip_locked=True)
        index = rows.filter(pk=name).first()
        if index is None or (index.version == VERSION and index.is_finished):
            return 0
        if index.version != VERSION:
            index.version, index.position, index.is_finished = VERSION, 0, False
        following = work(index.position)
        index.is_finished = following is None
        index.position = following or index.position
        index.save()
    return 1
