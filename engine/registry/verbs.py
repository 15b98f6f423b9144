"""What every verb of the registry has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import models, transaction

from engine.registry import change_log

Given = ParamSpec("Given")
Outcome = TypeVar("Outcome")


def verb(action: Callable[Given, Outcome]) -> Callable[Given, Outcome]:
    """Run the action in one transaction, in turn with every other verb.

    The turn makes its checks hold until it commits; all verbs lock in one order, so
    none waits for another in a circle. The registry's version moves with it.
    """

    @wraps(action)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Outcome:
        with transaction.atomic():
            change_log.bump()
            return action(*args, **kwargs)

    return run


def apply(row: models.Model, changes: Mapping[str, object]) -> dict[str, object]:
    """Set and save what differs. Returns field to [before, after], for the audit.

    Rows are named there, plain values are themselves.
    """
    differing = {
        name: [getattr(row, name), value]
        for name, value in changes.items()
        if getattr(row, name) != value
    }
    for name, (_, value) in differing.items():
        setattr(row, name, value)
    if differing:
        row.save(update_fields=list(differing))
    return {
        name: [_told(before), _told(after)]
        for name, (before, after) in differing.items()
    }


def _told(value: object) -> object:
    return str(value) if isinstance(value, models.Model) else value
