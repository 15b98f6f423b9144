"""Lets an organisation have no search index: its words would not be encrypted."""

from __future__ import annotations

from django.db import transaction

from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.registry.actions import organisations
from engine.registry.models import Actor, Organisation
from engine.storage.models import Message
from engine.storage.search import index_table

CHUNK = 500  # messages in one transaction
AT_ONCE = 20  # transactions in one run of the job
JOB = "engine.storage.tasks.apply_index_choice"


@transaction.atomic
def choose(organisation: Organisation, *, indexes_mail: bool, by: Actor | None) -> None:
    """Switches an organisation's index on or off; a job then makes or deletes it."""
    organisations.edit(organisation, indexes_mail=indexes_mail, by=by)
    jobs.add(JOB, organisation.pk, 0, lane=Lane.LONG)


def apply_slice(organisation_id: int, after: int) -> int | None:
    """Deletes the words of messages by id after `after`, or has them indexed.

    Returns the id to continue after; None when all are done, or the organisation is gone.
    Safe to run twice.
    """
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    for _ in range(AT_ONCE):
        if organisation is None:
            return None
        rows = Message.objects.filter(
            mailbox__organisation=organisation, pk__gt=after
        ).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return None
        _apply(ids, indexes_mail=organisation.indexes_mail)
        after = ids[-1]
    return after


@transaction.atomic
def _apply(ids: list[int], *, indexes_mail: bool) -> None:
    if indexes_mail:
        Message.objects.filter(pk__in=ids).update(is_indexed=False)
    else:
        index_table.forget(ids)
        # Or the job that indexes would look at them each minute.
        Message.objects.filter(pk__in=ids).update(is_indexed=True)
