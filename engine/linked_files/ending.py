"""Ends files: when they expire, are recalled, or their sender stops sharing them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from engine.audit.record import Actor, lock_chain, record
from engine.database import batches, clock
from engine.linked_files.models import AddressProof, End, LinkedFile
from engine.linked_files.recipients import RECALL
from engine.registry.models import Person
from engine.storage import message_actions
from engine.trace import event_log
from engine.trace.models import Event, EventKind

SLICE = 500


@transaction.atomic
def end(file: LinkedFile, why: End, *, by: Actor | None, reason: str = "") -> bool:
    """Deletes a file's content; its row stays, to say so. False where it has ended.

    The reason is for the audit trail, where somebody else than its author ends it.
    """
    lock_chain()
    row = LinkedFile.objects.select_for_update().filter(pk=file.pk).first()
    if row is None or row.ended_at is not None:
        return False
    content_id, row.content = row.content_id, None
    row.ended_at, row.end = clock.now(), why
    row.save(update_fields=["content", "ended_at", "end"])
    if content_id is not None:
        message_actions.delete_unreferenced([content_id])
    record(
        "linked_file.ended",
        row,
        organisation_key=row.organisation_id,
        detail={"reference": row.reference, "why": str(why)}
        | ({"reason": reason} if reason else {}),
        by=by,
    )
    if row.is_sent:
        event = event_log.event(
            row.reference, EventKind.LINK_ENDED, linked_file=row.pk, why=str(why)
        )
        event_log.save([event])
    return True


@transaction.atomic
def end_all(reference: str, *, reason: str, by: Person) -> None:
    """Ends every file of a message, for an operator."""
    for file in LinkedFile.objects.live().filter(reference=reference):
        end(file, End.WITHDRAWN, by=by, reason=reason)


def end_due() -> int:
    """Ends what has expired or was recalled; returns how many files."""
    expired = [*_expired()[:SLICE], *_forgotten()[:SLICE]]
    return batches.for_each(
        expired, partial(end, why=End.EXPIRED, by=None)
    ) + batches.for_each(_recalled(), partial(end, why=End.RECALLED, by=None))


def purge() -> int:
    """Deletes old rows: of files as their trace goes, and of codes after a day."""
    now = clock.now()
    AddressProof.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    before = now - timedelta(days=settings.POSTERN.trace_days)
    gone, _ = LinkedFile.objects.filter(ended_at__lt=before).delete()
    return gone


def _sent() -> QuerySet[LinkedFile]:
    return LinkedFile.objects.live().filter(reference__gt="")


def _expired() -> QuerySet[LinkedFile]:
    return _sent().filter(expires_at__lte=clock.now()).order_by("expires_at")


def _forgotten() -> QuerySet[LinkedFile]:
    """Returns files of drafts that were not sent in the time that a link is open."""
    before = clock.now() - timedelta(days=settings.POSTERN.linked_file_days)
    drafts = LinkedFile.objects.live().filter(reference="", added_at__lt=before)
    return drafts.order_by("added_at")


def _recalled() -> list[LinkedFile]:
    references = _sent().values("reference")
    recalled = Event.objects.filter(reference__in=references, kind__in=RECALL)
    return list(_sent().filter(reference__in=recalled.values("reference"))[:SLICE])
