"""What all actions on the registry share: the lock, saving changes, and the audit entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import models, transaction

from engine.audit.record import record
from engine.registry import change_log
from engine.registry.models import Actor, Organisation

Given = ParamSpec("Given")
Outcome = TypeVar("Outcome")

_SUBJECTS_OWN = object()


def verb(action: Callable[Given, Outcome]) -> Callable[Given, Outcome]:
    """Decorates an action: runs it in one transaction, serialised with all others.

    What the action has checked, such as that an address is free, stays true until it
    commits. All actions take their locks in one order, so they cannot deadlock.
    Each leaves an entry in the change log, so that open mail sessions check their
    sign-in again even where no route has changed.
    """

    @wraps(action)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Outcome:
        with transaction.atomic():
            change_log.lock()
            before = change_log.recorded()
            outcome = action(*args, **kwargs)
            if change_log.recorded() == before:
                change_log.record_other()
            return outcome

    return run


def apply(row: models.Model, changes: Mapping[str, object]) -> dict[str, object]:
    """Sets and saves the fields that differ.

    Returns the changes for the audit entry: field name to [before, after], with related
    rows by name.
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
        name: [_plain(before), _plain(after)]
        for name, (before, after) in differing.items()
    }


def _plain(value: object) -> object:
    return str(value) if isinstance(value, models.Model) else value


def record_action(
    event: str,
    subject: models.Model,
    detail: Mapping[str, object] | None = None,
    *,
    organisation_key: object = _SUBJECTS_OWN,
    reason: str = "",
    by: Actor | None,
) -> None:
    """Appends the audit entry of an action.

    Files it under the subject's organisation, whose administrators see it, unless
    `organisation_key` gives another id or none. Adds `reason` to the detail unless it is
    empty. `by=None` means the system itself.
    """
    if organisation_key is _SUBJECTS_OWN:
        organisation_key = _organisation_of(subject)
    stated = {"reason": reason} if reason else {}
    record(
        event,
        subject,
        organisation_key=organisation_key,
        detail={**(detail or {}), **stated},
        by=by,
    )


def _organisation_of(subject: models.Model) -> object:
    if isinstance(subject, Organisation):
        return subject.pk
    return getattr(subject, "organisation_id", "")
