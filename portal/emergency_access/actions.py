"""Asking for emergency access, deciding on it, and ending it.

Each action is one transaction, holds a lock on the request, and is audited. Each raises
PolicyError with the sentence to show.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from engine.jobs import queue
from engine.registry import mailbox_openings
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from portal.emergency_access import policies
from portal.emergency_access.models import (
    MOST_HOURS,
    REQUEST_LIFETIME,
    TRANSITIONS,
    Approval,
    EmergencyAccess,
    Status,
)
from portal.emergency_access.trail import note

GONE = "This request is no longer pending."


@transaction.atomic
def ask(mailbox: Mailbox, *, reason: str, hours: int, by: Person) -> EmergencyAccess:
    """Requests access for some hours, which begin when the second person approves."""
    # Of two requests at once the second finds the first.
    mailbox = Mailbox.objects.select_for_update(of=("self",)).get(pk=mailbox.pk)
    if not reason.strip():
        raise PolicyError("Enter a reason.")
    if not 1 <= hours <= MOST_HOURS:
        raise PolicyError(f"The time must be between 1 and {MOST_HOURS} hours.")
    capacity = policies.check_can_ask(mailbox, by=by)
    # Waits while the job closes the person's last request: the database refuses a second
    # one that is not closed.
    earlier = EmergencyAccess.objects.select_for_update()
    _close_overdue(earlier.filter(mailbox=mailbox, requested_by=by))
    holder = mailbox.owner
    access = EmergencyAccess.objects.create(
        mailbox=mailbox,
        address=mailbox.address,
        holder=holder,
        holder_name=holder.name if holder else "",
        organisation=mailbox.organisation,
        capacity=capacity,
        requested_by=by,
        requested_by_name=by.name,
        reason=reason.strip(),
        hours=hours,
    )
    note("emergency_access.requested", access, by=by, reason=reason, hours=hours)
    _notify(access, "asked")
    return access


@transaction.atomic
def approve(access: EmergencyAccess, *, why_untold: str = "", by: Person) -> bool:
    """Approves; returns True where that opened the mailbox.

    `why_untold` is the reason to notify the holder only at the end; it counts where both
    approvers give one.
    """
    access = _locked(access)
    policies.check_can_approve(access, by=by)
    Approval.objects.create(
        access=access, person=by, name=by.name, why_untold=why_untold.strip()
    )
    note("emergency_access.approved", access, by=by, holder_told_later=why_untold)
    if policies.missing(access):
        return False
    _open(access)
    return True


@transaction.atomic
def refuse(access: EmergencyAccess, *, reason: str, by: Person) -> None:
    """Refuses the request as one of those who may approve it."""
    access = _locked(access)
    policies.check_can_refuse(access, by=by)
    _close(access, Status.REFUSED, by=by, reason=reason)
    note("emergency_access.refused", access, by=by, reason=reason)
    _notify(access, "closed")


@transaction.atomic
def end(access: EmergencyAccess, *, by: Person) -> None:
    """Ends the access early, or withdraws the request that waits."""
    access = _locked(access)
    if not policies.may_end(access, by=by):
        raise PolicyError(GONE)
    if access.status == Status.WAITING:
        _close(access, Status.WITHDRAWN, by=by)
        note("emergency_access.withdrawn", access, by=by)
        _notify(access, "closed")
    else:
        _end(access, by=by)


@transaction.atomic
def close_overdue() -> int:
    """Ends what has run out, and lets requests lapse; returns how many. Idempotent."""
    return _close_overdue(EmergencyAccess.objects.select_for_update(skip_locked=True))


def _close_overdue(rows: QuerySet[EmergencyAccess]) -> int:
    now = timezone.now()
    over = list(rows.filter(status=Status.OPEN, ends_at__lte=now))
    for access in over:
        _end(access, by=None)
    stale = list(
        rows.filter(status=Status.WAITING, requested_at__lte=now - REQUEST_LIFETIME)
    )
    for access in stale:
        _close(access, Status.LAPSED, by=None)
        note("emergency_access.lapsed", access, by=None)
        _notify(access, "closed")
    return len(over) + len(stale)


def _open(access: EmergencyAccess) -> None:
    now = timezone.now()
    _move(access, Status.OPEN)
    access.opened_at, access.ends_at = now, now + timedelta(hours=access.hours)
    is_withheld = all(one.why_untold for one in policies.counted(access))
    access.told_at = None if is_withheld else now
    access.save()
    note(
        "emergency_access.opened",
        access,
        by=access.requested_by,
        until=access.ends_at.isoformat(),
        holder_told_later=is_withheld,
    )
    _notify(access, "opened")


def _end(access: EmergencyAccess, *, by: Person | None) -> None:
    access.told_at = access.told_at or timezone.now()
    _close(access, Status.ENDED, by=by)
    if access.mailbox is not None:
        mailbox_openings.reveal(access.mailbox, occasion=access.occasion)
    # From here on the holder may read of it, in the organisation's history too.
    note(
        "emergency_access.ended",
        access,
        by=by,
        read_by=access.requested_by_name,
        reason=access.reason,
        opened=access.readings.count(),
    )
    _notify(access, "ended")


def _close(
    access: EmergencyAccess, status: Status, *, by: Person | None, reason: str = ""
) -> None:
    _move(access, status)
    access.closed_at = timezone.now()
    access.closed_by_name = by.name if by else ""
    access.closing_reason = reason
    access.save()


def _move(access: EmergencyAccess, status: Status) -> None:
    if status not in TRANSITIONS.get(Status(access.status), set()):
        raise PolicyError(GONE)
    access.status = status


def _locked(access: EmergencyAccess) -> EmergencyAccess:
    """Locks the row, so that two answers at once cannot both count."""
    rows = EmergencyAccess.objects.select_for_update(of=("self",))
    return rows.select_related("organisation", "holder", "requested_by").get(
        pk=access.pk
    )


def _notify(access: EmergencyAccess, step: str) -> None:
    """Queues the mail about a step, in the same transaction; see emails.Step."""
    queue.add("portal.emergency_access.tasks.send_mail", access.pk, step)
