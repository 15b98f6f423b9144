"""Who may do what, and where. Everything that no role grants is denied."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeAlias

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from engine.registry.models import (
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
    StaffRole,
)
from engine.registry.roles import ROLES, Member, Permission

__all__ = [
    "Permission",
    "Visitor",
    "can",
    "check",
    "held",
    "is_privileged",
    "is_staff",
    "may_sign_in",
    "needs_second_factor",
    "second_factor_due",
]

Visitor: TypeAlias = Person | AnonymousUser
REFUSAL = "You do not have permission to do this."


def may_sign_in(person: Visitor) -> bool:
    """True for an active person whose organisation, if any, is active too.

    Of a trusted domain only administrators have a sign-in.
    """
    if not isinstance(person, Person) or not person.is_active:
        return False
    organisation = person.organisation
    if organisation is None:
        return True
    return organisation.is_active and (
        not organisation.is_trusted_domain or _administers(person, organisation)
    )


def _administers(person: Person, organisation: Organisation) -> bool:
    return OrganisationRole.objects.filter(
        person=person, organisation=organisation, role=RoleName.ADMINISTRATOR
    ).exists()


def held(
    person: Visitor, *, organisation: Organisation | None = None
) -> frozenset[Permission]:
    """Everything that the person may do to the organisation.

    Staff hold their permissions everywhere. Without an organisation the question is
    about the person's own one.
    """
    if not isinstance(person, Person) or not may_sign_in(person):
        return frozenset()
    names = StaffRole.objects.filter(person=person).values_list("role", flat=True)
    everywhere = _granted_by(names)
    place = organisation or person.organisation
    if place is None or not place.is_active:
        return everywhere
    return everywhere | _held_inside(person, place)


def _held_inside(person: Person, organisation: Organisation) -> frozenset[Permission]:
    names = OrganisationRole.objects.filter(
        person=person, organisation=organisation
    ).values_list("role", flat=True)
    granted = _granted_by(names)
    if person.organisation_id == organisation.pk:
        granted |= Member.permissions
    # After a recovery that one other person alone could have arranged.
    return granted - {Permission.USE_MAIL} if person.is_mail_shut else granted


def _granted_by(names: Iterable[str]) -> frozenset[Permission]:
    return frozenset().union(*(ROLES[RoleName(name)].permissions for name in names))


def can(
    person: Visitor,
    permission: Permission,
    *,
    organisation: Organisation | None = None,
) -> bool:
    """True where a role of the person grants the permission there."""
    return permission in held(person, organisation=organisation)


def check(
    person: Visitor,
    permission: Permission,
    *,
    organisation: Organisation | None = None,
) -> None:
    """Raise PermissionDenied unless the person may. The message names no object."""
    if not can(person, permission, organisation=organisation):
        raise PermissionDenied(REFUSAL)


def is_staff(person: Visitor) -> bool:
    """True for an active person with any role of the operator's."""
    if not isinstance(person, Person) or not may_sign_in(person):
        return False
    return StaffRole.objects.filter(person=person).exists()


def is_privileged(person: Person) -> bool:
    """True for whoever has a role of staff or every right, active or not."""
    return person.is_superuser or StaffRole.objects.filter(person=person).exists()


def second_factor_due(person: Visitor) -> datetime | None:
    """When the person must have a second factor, in the past where it is now.

    At once for staff, administrators and members of organisations that ask for it. For
    others by the community's rule, counted from their first sign-in to the website: who
    never comes there is asked for nothing, and mail flows. None where no rule asks.
    """
    if not isinstance(person, Person):
        return None
    if _is_asked_at_once(person):
        return person.created_at
    ours = settings.POSTERN
    if ours.second_factor != "everybody" or person.first_signed_in_at is None:
        return None
    grace: timedelta = timedelta(days=ours.second_factor_grace_days)
    return person.first_signed_in_at + grace


def needs_second_factor(person: Visitor) -> bool:
    """True where the person can go on with a second factor only."""
    due = second_factor_due(person)
    return due is not None and due <= timezone.now()


def _is_asked_at_once(person: Person) -> bool:
    if person.organisation is not None and person.organisation.mfa_required:
        return True
    return (
        StaffRole.objects.filter(person=person).exists()
        or OrganisationRole.objects.filter(
            person=person, role=RoleName.ADMINISTRATOR
        ).exists()
    )
