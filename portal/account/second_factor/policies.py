"""Who needs a second factor, and whether one may be removed."""

from __future__ import annotations

from datetime import date

from allauth.mfa.models import Authenticator

from engine import calendar_days
from engine.database.statements import fetch
from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions.roles_held import RolesHeld

PROOFS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# Every page asks.
PROOF = (
    "SELECT 1 FROM mfa_authenticator WHERE user_id = %s AND type IN (%s, %s) LIMIT 1"
)


def needs_second_factor(person: Person, *, roles: RolesHeld | None = None) -> bool:
    """Returns whether the person cannot use the service without a second factor.

    `roles` are the person's, where they were just read.
    """
    return bool(person.is_superuser) or permissions.needs_second_factor(
        person, roles=roles
    )


def second_factor_reminder(person: Person) -> date | None:
    """Returns the last day of the grace period; None without, or with a factor set up."""
    if needs_second_factor(person) or has_second_factor(person):
        return None
    due = permissions.second_factor_due(person)
    return calendar_days.last_before(due) if due else None


def has_second_factor(person: Person) -> bool:
    """Returns whether an authenticator app or passkey is set up; recovery codes do not count."""
    return bool(fetch(PROOF, [person.pk, *(proof.value for proof in PROOFS)]))


def check_can_remove_authenticator(authenticator: Authenticator) -> None:
    """Raises PolicyError for the last factor of a person who needs one."""
    others = Authenticator.objects.filter(
        user_id=authenticator.user_id, type__in=PROOFS
    ).exclude(pk=authenticator.pk)
    if needs_second_factor(authenticator.user) and not others.exists():
        raise PolicyError(
            "You need a second factor. Add another one before you remove this one."
        )


def can_remove_authenticator(authenticator: Authenticator) -> bool:
    """Returns whether the factor may be removed."""
    try:
        check_can_remove_authenticator(authenticator)
    except PolicyError:
        return False
    return True
