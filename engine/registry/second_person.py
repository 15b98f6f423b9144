"""Whether somebody is the second person where one alone may not act.

Of two who must agree, neither is the owner of the account, each may look after it, and
the first has not only just given the second the power to agree.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from engine.registry import permissions
from engine.registry.actor import Actor
from engine.registry.errors import PolicyError
from engine.registry.models import (
    ApiKey,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
    StaffRole,
)
from engine.registry.recovery import delay
from engine.registry.roles import ROLES, Permission


def check_can_agree(person: Person, *, first: Person | None, by: Person) -> None:
    """Raise PolicyError unless `by` may agree to what `first` does to the account."""
    if by == person:
        raise PolicyError("You cannot agree to this for your own account.")
    if first is not None and by == first:
        raise PolicyError(
            "You asked for this yourself. Somebody else must agree: another "
            "administrator of the organisation, or a member of staff."
        )
    if by.is_mail_shut:
        raise PolicyError(
            "Your own account has just been recovered. You can agree to this when "
            "your mailbox is open again."
        )
    if not may_look_after(person, by=by):
        raise PolicyError("You do not look after this account.")
    check_holds_their_powers(person, by=by)
    if not _has_held(by, wanted(person), person.organisation):
        raise PolicyError(
            "Your role is too new. You can agree to this when you have held it for "
            f"{delay().total_seconds() / 3600:.0f} hours."
        )


def may_look_after(person: Person, *, by: Person) -> bool:
    """True where a role of `by` reaches the account. Staff's accounts are operators'."""
    return permissions.can(by, wanted(person), organisation=person.organisation)


def check_holds_their_powers(person: Person, *, by: Actor | None) -> None:
    """Raise PolicyError where the way in would lead to another organisation's pages.

    A person who gives an administrator another way in could act as them there.
    """
    administered = Organisation.objects.active().filter(
        roles__person=person, roles__role=RoleName.ADMINISTRATOR
    )
    for place in administered.exclude(people=person):
        if isinstance(by, ApiKey):
            is_open = by.organisation_id in (None, place.pk)
        else:
            is_open = by is None or permissions.can(
                by, Permission.MANAGE_PEOPLE, organisation=place
            )
        if not is_open:
            raise PolicyError(
                f"{person.name} also administers {place}. Ask the helpdesk to do this."
            )


def wanted(person: Person) -> Permission:
    """What one must hold to change how the person signs in."""
    if person.organisation_id is None or permissions.is_privileged(person):
        return Permission.MANAGE_STAFF
    return Permission.MANAGE_PEOPLE


def check_can_agree_to_key(
    organisation: Organisation, *, first: Person | None, by: Person
) -> None:
    """The same for a key that would open the mailboxes of an organisation."""
    if first is not None and by == first:
        raise PolicyError(
            "You made this key. Another administrator must agree, or the helpdesk."
        )
    asked = Permission.MANAGE_PEOPLE
    if by.is_mail_shut or not permissions.can(by, asked, organisation=organisation):
        raise PolicyError("You do not look after this organisation's people.")
    if not _has_held(by, asked, organisation):
        raise PolicyError("Your role is too new to agree to this.")


def _has_held(
    person: Person, permission: Permission, organisation: Organisation | None
) -> bool:
    """True where a role that grants it was given before the delay, or at the start."""
    long_ago = Q(given_at=None) | Q(given_at__lte=timezone.now() - delay())
    granting = [name for name in RoleName if permission in ROLES[name].permissions]
    staff = StaffRole.objects.filter(long_ago, person=person, role__in=granting)
    inside = OrganisationRole.objects.filter(
        long_ago, person=person, role__in=granting, organisation=organisation
    )
    return staff.exists() or inside.exists()
