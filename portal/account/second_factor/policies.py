"""What a person may do to their own way of signing in."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator

from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import Person

PROOFS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def needs_second_factor(person: Person) -> bool:
    return bool(person.is_superuser) or permissions.needs_second_factor(person)


def second_factor_reminder(person: Person) -> datetime | None:
    """By when the person should set one up, while there is still time."""
    if needs_second_factor(person) or has_second_factor(person):
        return None
    return permissions.second_factor_due(person)


def has_second_factor(person: Person) -> bool:
    """True with an authenticator app or a passkey; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=person, type__in=PROOFS).exists())


def check_can_remove_authenticator(authenticator: Authenticator) -> None:
    """Raise PolicyError for the last one of somebody who must have one."""
    others = Authenticator.objects.filter(
        user_id=authenticator.user_id, type__in=PROOFS
    ).exclude(pk=authenticator.pk)
    if needs_second_factor(authenticator.user) and not others.exists():
        raise PolicyError(
            "You need a second factor here. Add another one before you remove this."
        )


def can_remove_authenticator(authenticator: Authenticator) -> bool:
    try:
        check_can_remove_authenticator(authenticator)
    except PolicyError:
        return False
    return True
