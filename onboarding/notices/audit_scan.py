"""Scans new audit entries and adds their notices to the outbox."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from engine.audit.models import Entry
from engine.database import clock
from onboarding.models import Notice, NoticeKind, NoticeMark
from onboarding.notices.audit_rules import NOTICE_RULES
from onboarding.notices.recipients import NoticeRecipient, recipients_of

CHUNK = 500
# The first scan of a database goes back this far and leaves older entries alone.
FIRST_LOOK = timedelta(hours=1)


def scan() -> int:
    """Adds the notices of all entries since the last scan. Returns how many."""
    NoticeMark.objects.get_or_create(pk=1, defaults={"last_id": _before_first_look()})
    total = 0
    while (added := _scan_chunk()) is not None:
        total += added
    return total


@transaction.atomic
def _scan_chunk() -> int | None:
    """Adds the notices of the next CHUNK entries; None if no entry is new.

    The notices and the position commit together. Entries are inserted under the lock of
    the hash chain, so none with a lower id can appear later, and the row lock on the
    position serialises concurrent workers.
    """
    mark = NoticeMark.objects.select_for_update().get(pk=1)
    new = Entry.objects.filter(pk__gt=mark.last_id).order_by("pk")
    seen = list(new.values_list("pk", "event")[:CHUNK])
    if not seen:
        return None
    announced = [pk for pk, event in seen if event in NOTICE_RULES]
    notices = [
        _notice(entry, recipient)
        for entry in Entry.objects.filter(pk__in=announced).order_by("pk")
        for recipient in sorted(recipients_of(entry), key=lambda one: one.address)
    ]
    Notice.objects.bulk_create(notices)
    mark.last_id = seen[-1][0]
    mark.save()
    return len(notices)


def _notice(entry: Entry, recipient: NoticeRecipient) -> Notice:
    kind = NoticeKind.CHANGE_INSIDE if recipient.is_inside else NoticeKind.CHANGE
    return Notice(
        kind=kind,
        address=recipient.address,
        about=entry.pk,
        next_attempt_at=clock.now(),
    )


def _before_first_look() -> int:
    rows = Entry.objects.filter(at__lt=timezone.now() - FIRST_LOOK)
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0
