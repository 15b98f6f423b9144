"""Account recovery: how long its steps wait, and which recoveries shut the mailbox.

The everyday address is a credential: anyone who reads mail there receives the links that
open the account. `actions/recovery.py` alone changes it. `Person.mail_shut_at` keeps the
mailbox shut after a recovery that one other person could have arranged alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person, Recovery, RecoveryAddressChange


def recovery_delay() -> timedelta:
    """Returns how long an address change by another person waits.

    A new role waits as long before it counts as a second person's.
    """
    return timedelta(hours=settings.POSTERN.recovery_delay_hours)


def shut_duration() -> timedelta:
    """Returns how long a mailbox stays shut after the first sign-in."""
    return timedelta(hours=settings.POSTERN.recovery_shut_hours)


def is_unused(person: Person) -> bool:
    """Returns True for an account never signed in to, whose mailbox is empty.

    It holds nothing yet that an intruder could take over.
    """
    if person.last_login is not None or person.has_usable_password():
        return False
    return not Mailbox.objects.filter(owner=person, used_bytes__gt=0).exists()


def pending_change(person: Person) -> RecoveryAddressChange | None:
    """Returns the address change that waits for its delay, or None."""
    return RecoveryAddressChange.objects.pending().filter(person=person).first()


def untrusted_change(
    person: Person, *, sent_at: datetime
) -> RecoveryAddressChange | None:
    """Returns the address change that makes a link sent at `sent_at` untrustworthy.

    That is one that took effect within the delay before; or one that another person
    asked for, that no second person confirmed and that has not been used since. None
    where the reader of the link can be taken for the owner.
    """
    latest = person.address_changes.exclude(applied_at=None).first()
    if latest is None or latest.confirmed_by_id is not None:
        return None
    # A new account begins with somebody else's entry; it holds nothing to protect yet.
    if latest.is_first and (latest.used_at or is_unused(person)):
        return None
    is_new = (
        latest.applied_at is not None and latest.applied_at > sent_at - recovery_delay()
    )
    is_by_another = not (latest.is_by_owner or latest.is_first or latest.used_at)
    return latest if is_new or is_by_another else None


def shutting_recovery(person: Person) -> Recovery | None:
    """Returns the recovery that keeps the person's mailbox shut, or None."""
    if not person.is_mail_shut:
        return None
    return person.recoveries.shut(timezone.now()).first()


def check_mail_is_open(person: Person) -> None:
    """Raises PolicyError while a recovery keeps the person's mailbox shut."""
    if person.is_mail_shut:
        raise PolicyError(
            "Your mailbox is locked after the recovery of your account. You can "
            "change this when it is unlocked."
        )


def mail_access_filter() -> Q:
    """Returns the condition for app passwords that open mail now.

    Those made before a recovery began stay valid while the mailbox is shut: an intruder
    who used the recovery cannot know them, and the owner's mail clients keep working.
    """
    return (
        Q(person__mail_shut_at=None)
        | Q(person__mail_shut_until__lte=timezone.now())
        | Q(created_at__lt=F("person__mail_shut_at"))
    )
