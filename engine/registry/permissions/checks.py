"""Permission checks: what a person's roles let them do, and in which organisation."""

from __future__ import annotations

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
from engine.registry.permissions import roles_held
from engine.registry.permissions.roles import ROLES, Member, Permission
from engine.registry.permissions.roles_held import RolesHeld

Visitor: TypeAlias = Person | AnonymousUser
# The same sentence for every refusal: it must not reveal whether an object exists.
REFUSAL = "You do not have permission to do this."


def may_sign_in(person: Visitor) -> bool:
    """Returns True for an active person whose organisation, if any, is active too.

    In a trusted domain only administrators sign in: its other people use their own
    mail system and have no account here.
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


def held_by(
    person: Visitor,
    *,
    organisation: Organisation | None = None,
    roles: RolesHeld | None = None,
) -> frozenset[Permission]:
    """Returns every permission that the person holds in the organisation.

    Without an organisation, the person's own is meant. Staff roles count in every
    organisation, and even in one that is suspended; roles inside an organisation only
    while it is active. `roles` are the person's, where they were just read.
    """
    if not isinstance(person, Person) or not may_sign_in(person):
        return frozenset()
    roles = roles or roles_held.of_person(person)
    as_staff = _granted_by(roles.staff)
    scope = organisation or person.organisation
    if scope is None or not scope.is_active:
        return as_staff
    return as_staff | _held_inside(person, scope, roles)


def _held_inside(
    person: Person, organisation: Organisation, roles: RolesHeld
) -> frozenset[Permission]:
    granted = _granted_by(roles.inside(organisation.pk))
    # Membership needs no row: everyone in an organisation holds the member role there.
    if person.organisation_id == organisation.pk:
        granted |= Member.permissions
    # A recovery that one other person could have arranged alone must not open the
    # mailbox. Taking the permission away here shuts screens, API, search and export
    # together; credentials.account_recovery.mail_access_filter shuts POP3 and submission.
    return granted - {Permission.USE_MAIL} if person.is_mail_shut else granted


def _granted_by(names: frozenset[RoleName]) -> frozenset[Permission]:
    return frozenset().union(*(ROLES[name].permissions for name in names))


def can(
    person: Visitor,
    permission: Permission,
    *,
    organisation: Organisation | None = None,
) -> bool:
    """Returns True if the person holds the permission in the organisation.

    Without an organisation, the person's own is meant.
    """
    return permission in held_by(person, organisation=organisation)


def check(
    person: Visitor,
    permission: Permission,
    *,
    organisation: Organisation | None = None,
) -> None:
    """Raises PermissionDenied unless `can` is true. The message names no object."""
    if not can(person, permission, organisation=organisation):
        raise PermissionDenied(REFUSAL)


def is_staff(person: Visitor) -> bool:
    """Returns True for a person who may sign in and holds any staff role."""
    if not isinstance(person, Person) or not may_sign_in(person):
        return False
    return StaffRole.objects.filter(person=person).exists()


def is_privileged(person: Person) -> bool:
    """Returns True for a superuser or a holder of any staff role, active or not.

    Rules that protect powerful accounts use this rather than `is_staff`: a suspended
    operator's account is worth taking over too, because it can be resumed.
    """
    return person.is_superuser or StaffRole.objects.filter(person=person).exists()
