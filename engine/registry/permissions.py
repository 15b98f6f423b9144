"""Who may do what, and where. Everything that no role grants is denied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

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


def needs_second_factor(person: Visitor) -> bool:
    """True for staff, administrators, and members of organisations that ask for it."""
    if not isinstance(person, Person):
        return False
    if person.organisation is not None and person.organisation.mfa_required:
        return True
    return (
        StaffRole.objects.filter(person=person).exists()
        or OrganisationRole.objects.filter(
            person=person, role=RoleName.ADMINISTRATOR
        ).exists()
    )
