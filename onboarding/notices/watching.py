"""Looking through the audit trail, and promising the notices that are due."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from engine import clock
from engine.audit.models import Entry
from onboarding.models import Notice, NoticeKind, NoticeMark
from onboarding.notices.hearing import HEARINGS
from onboarding.notices.listeners import Listener, listeners

CHUNK = 500
# Where nothing was looked through before, what is older is left alone.
FIRST_LOOK = timedelta(hours=1)


def gather() -> int:
    """Promise a notice to everybody who must hear. Returns how many were promised."""
    NoticeMark.objects.get_or_create(pk=1, defaults={"last_id": _before_first_look()})
    promised = 0
    while (added := _gather_next()) is not None:
        promised += added
    return promised


@transaction.atomic
def _gather_next() -> int | None:
    """Deal with the next entries and move the mark; None where nothing is new.

    Entries are written one after another under the lock of the chain, so none with a
    lower id comes later. Two workers take turns at the mark.
    """
    mark = NoticeMark.objects.select_for_update().get(pk=1)
    new = Entry.objects.filter(pk__gt=mark.last_id).order_by("pk")
    seen = list(new.values_list("pk", "event")[:CHUNK])
    if not seen:
        return None
    heard = [pk for pk, event in seen if event in HEARINGS]
    notices = [
        _notice(entry, listener)
        for entry in Entry.objects.filter(pk__in=heard).order_by("pk")
        for listener in sorted(listeners(entry), key=lambda one: one.address)
    ]
    Notice.objects.bulk_create(notices)
    mark.last_id = seen[-1][0]
    mark.save()
    return len(notices)


def _notice(entry: Entry, listener: Listener) -> Notice:
    kind = NoticeKind.CHANGE_INSIDE if listener.is_inside else NoticeKind.CHANGE
    return Notice(
        kind=kind,
        address=listener.address,
        about=entry.pk,
        next_attempt_at=clock.now(),
    )


def _before_first_look() -> int:
    rows = Entry.objects.filter(at__lt=timezone.now() - FIRST_LOOK)
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0
