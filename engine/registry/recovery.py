"""What is known of the way back into an account: how long things wait, and why.

The everyday address is a credential: anybody who reads mail there gets the links that
open the account. `actions/recovery.py` changes it, and `Person.mail_shut_at` keeps every
mailbox from a person whose way back one other person alone could have arranged.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person, Recovery, RecoveryAddressChange


def delay() -> timedelta:
    """How long a change of address by another waits, and a new role to count."""
    return timedelta(hours=settings.POSTERN.recovery_delay_hours)


def shut_time() -> timedelta:
    """How long a mailbox stays shut after the first sign-in."""
    return timedelta(hours=settings.POSTERN.recovery_shut_hours)


def is_untouched(person: Person) -> bool:
    """True while nobody can have signed in and the person's mailbox is empty.

    There is nothing yet that a stranger could take over.
    """
    if person.last_login is not None or person.has_usable_password():
        return False
    return not Mailbox.objects.filter(owner=person, used_bytes__gt=0).exists()


def pending_change(person: Person) -> RecoveryAddressChange | None:
    """The change of address that waits, if one does."""
    return RecoveryAddressChange.objects.pending().filter(person=person).first()


def unproved_change(
    person: Person, *, sent_at: datetime
) -> RecoveryAddressChange | None:
    """Why a link that was sent then may have gone to the wrong reader.

    The address was new within the delay; or another person put it there, nobody else
    agreed, and it has not been used since.
    """
    latest = person.address_changes.exclude(applied_at=None).first()
    if latest is None or latest.confirmed_by_id is not None:
        return None
    if latest.is_first and (latest.used_at or is_untouched(person)):
        return None
    is_new = latest.applied_at is not None and latest.applied_at > sent_at - delay()
    is_anothers = not (latest.is_by_owner or latest.is_first or latest.used_at)
    return latest if is_new or is_anothers else None


def shutting(person: Person) -> Recovery | None:
    """The recovery that keeps the person's mailboxes shut, for the page that says so."""
    if not person.is_mail_shut:
        return None
    return person.recoveries.shut(timezone.now()).first()


def check_mail_is_open(person: Person) -> None:
    """Raise PolicyError while a recovery keeps the person from mail."""
    if person.is_mail_shut:
        raise PolicyError(
            "Your mailbox is shut after the recovery of your account. You can change "
            "this when it is open again."
        )


def opens_mail(prefix: str = "person__", made: str = "created_at") -> Q:
    """App passwords that open mail now: those made before the recovery, or after it."""
    until = f"{prefix}mail_shut_until"
    since = f"{prefix}mail_shut_at"
    return (
        Q(**{since: None})
        | Q(**{f"{until}__lte": timezone.now()})
        | Q(**{f"{made}__lt": F(since)})
    )
