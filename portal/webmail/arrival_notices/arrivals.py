"""Finds new mail for people who want to be notified of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from engine.storage.models import Message
from portal.webmail.models import ArrivalCursor, ArrivalNotice, Period, PushedMailbox

CHUNK = 5_000
# A message may be committed a moment after messages with higher ids: the cursor stays this
# long behind, and nobody is notified of mail that is younger.
SETTLING_TIME = timedelta(seconds=10)


def find() -> int:
    """Notes new mail at the notices and browsers of its readers; returns how much.

    Reads ids only, in their order, and never waits for a delivery or makes one wait.
    """
    settled_before = timezone.now() - SETTLING_TIME
    cursor, _ = ArrivalCursor.objects.get_or_create(
        pk=ArrivalCursor.ONLY, defaults={"last_id": _last_settled_id(settled_before)}
    )
    found, after, is_held = 0, cursor.last_id, False
    while rows := list(
        Message.objects.filter(pk__gt=after)
        .order_by("pk")
        .values_list("pk", "mailbox_id", "received_at")[:CHUNK]
    ):
        settled = [
            (pk, mailbox)
            for pk, mailbox, received_at in rows
            if received_at < settled_before
        ]
        found += len(settled)
        if settled:
            _note({mailbox for _, mailbox in settled}, settled[-1][0])
        after = rows[-1][0]
        if not is_held:
            young = (pk for pk, _, at in rows if at >= settled_before)
            first = next(young, None)
            # The next run begins with the first one that is too young.
            passed, is_held = (after, False) if first is None else (first - 1, True)
            ArrivalCursor.objects.filter(last_id__lt=passed).update(last_id=passed)
    return found


def _note(mailboxes: set[int], last_id: int) -> None:
    ArrivalNotice.objects.filter(
        noticed__mailbox__in=mailboxes, arrived_to__lt=last_id
    ).exclude(period=Period.NEVER).update(arrived_to=last_id)
    PushedMailbox.objects.filter(mailbox__in=mailboxes, arrived_to__lt=last_id).update(
        arrived_to=last_id
    )


def _last_settled_id(settled_before: datetime) -> int:
    rows = Message.objects.filter(received_at__lt=settled_before).order_by("-pk")
    return rows.values_list("pk", flat=True).first() or 0
