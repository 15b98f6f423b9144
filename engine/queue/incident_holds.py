"""Holds waiting mail for a withdrawal or a re-scan, and lets it go on when that is put back.

No operator alone releases it (`operator_actions.release`). While it is held, `last_reply`
has the occasion of the withdrawal, and after it what held the recipient before.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from engine.database import clock
from engine.queue import operator_actions
from engine.queue.delivery import suspension
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.queue.operator_actions import BATCH
from engine.registry.models import Actor
from engine.trace.models import EventKind

WAITING = (RecipientStatus.QUEUED, RecipientStatus.HELD)
# Comes back when a withdrawal is put back. A suspension is found again at the next claim.
KEPT = (Hold.OPERATOR, Hold.RESTORE)


def is_on_its_way(recipients: QuerySet[Recipient]) -> bool:
    """Whether some are neither finished nor held: asked after `hold_slice` returned 0,
    these are being delivered at this moment."""
    return recipients.filter(status=RecipientStatus.QUEUED).exists()


@transaction.atomic
def hold_slice(
    recipients: QuerySet[Recipient], occasion: str, *, reason: str, by: Actor | None
) -> int:
    """Holds up to BATCH of the recipients that wait, whatever held them before.

    Returns how many; 0 when none is left that is not being delivered at this moment.
    """
    free = Q(leased_until=None) | Q(leased_until__lte=clock.now())
    rows = recipients.filter(free, status__in=WAITING).exclude(hold=Hold.WITHDRAWN)
    locked = rows.select_for_update(of=("self",)).select_related("message")
    held = list(locked.order_by("pk")[:BATCH])
    for before in ("", *KEPT):
        same = [row.pk for row in held if _kept(row) == before]
        Recipient.objects.filter(pk__in=same).update(
            status=RecipientStatus.HELD,
            hold=Hold.WITHDRAWN,
            last_reply=f"{occasion} {before}".strip(),
            deferral_id=None,
            leased_until=None,
            leased_by="",
        )
    operator_actions.note(held, "queue.held", EventKind.HELD, reason=reason, by=by)
    return len(held)


def _kept(row: Recipient) -> str:
    return row.hold if row.hold in KEPT else ""


@transaction.atomic
def put_back_slice(occasion: str) -> int:
    """Queues up to BATCH of the recipients held for an occasion again; returns how many.

    What an operator or a restore held before is held by that again.
    """
    own = Q(last_reply=occasion) | Q(last_reply__startswith=f"{occasion} ")
    rows = Recipient.objects.filter(
        own, status=RecipientStatus.HELD, hold=Hold.WITHDRAWN
    )
    locked = rows.select_for_update(of=("self",)).select_related("message")
    held = list(locked.order_by("pk")[:BATCH])
    # The sender reads the last reply once it is delivered or tried again.
    Recipient.objects.filter(pk__in=[row.pk for row in held]).update(last_reply="")
    before = {row.pk: row.last_reply.removeprefix(occasion).strip() for row in held}
    for kept in KEPT:
        same = [pk for pk, hold in before.items() if hold == kept]
        Recipient.objects.filter(pk__in=same).update(hold=kept)
    suspension.release([row for row in held if not before[row.pk]])
    return len(held)
