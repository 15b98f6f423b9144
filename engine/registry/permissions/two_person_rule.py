"""The two-person rule: acts that one person alone must not complete.

Neither of the two is the owner of the account, each may manage it, and neither can simply
have given the other the power to: a role counts only after the recovery delay.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from engine.registry import permissions
from engine.registry.credentials.account_recovery import recovery_delay
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    ApiKey,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
    StaffRole,
)
from engine.registry.permissions import own_administrators
from engine.registry.permissions.roles import ROLES, Permission


def check_can_agree(person: Person, *, first: Person | None, by: Person) -> None:
    """Raises PolicyError unless `by` may be the second person for an act on an account.

    `person` owns the account; `first` asked for the act, None where that is unknown or
    was the system.
    """
    if by == person:
        raise PolicyError("You cannot agree to this for your own account.")
    if first is not None and by == first:
        raise PolicyError(
            "You requested this yourself, so you cannot agree to it. Ask another "
            "administrator of the organisation, or a member of staff."
        )
    # A stolen account that was just recovered must not approve its own accomplice.
    if by.is_mail_shut:
        raise PolicyError(
            "Your own account has just been recovered. You can agree to this when "
            "your mailbox is unlocked."
        )
    if not can_manage_account(person, by=by):
        raise PolicyError("You do not manage this account.")
    check_holds_same_powers(person, by=by)
    if not has_held(by, required_permission(person), person.organisation):
        raise PolicyError(
            "Your role is too new. You can agree to this when you have held it for "
            f"{_hours()} hours."
        )
    # A person could otherwise make an account, ask with it, and agree.
    if first is not None and not has_held(
        first, required_permission(person), person.organisation
    ):
        raise PolicyError(
            f"{first.name} asked for this, and does not manage the account, or has for "
            f"less than {_hours()} hours. Ask for it yourself, and have another person "
            "agree."
        )


def can_manage_account(person: Person, *, by: Person) -> bool:
    """Returns True if a role of `by` covers the account's sign-in and recovery."""
    return permissions.can(
        by, required_permission(person), organisation=person.organisation
    )


def check_holds_same_powers(person: Person, *, by: Actor | None) -> None:
    """Raises PolicyError where taking over the account would widen the actor's powers.

    An actor who can give an administrator another way to sign in could then act as that
    administrator, also in other organisations that they administer.
    """
    administered = Organisation.objects.active().filter(
        roles__person=person, roles__role=RoleName.ADMINISTRATOR
    )
    for organisation in administered.exclude(people=person):
        if isinstance(by, ApiKey):
            is_covered = by.organisation_id in (None, organisation.pk)
        else:
            is_covered = by is None or permissions.can(
                by, Permission.MANAGE_PEOPLE, organisation=organisation
            )
        if not is_covered:
            raise PolicyError(
                f"{person.name} also administers {organisation}. "
                "Ask the helpdesk to do this."
            )


def required_permission(person: Person) -> Permission:
    """Returns the permission needed to change how the person signs in.

    Accounts of staff are for operators: a helpdesk agent could otherwise take over an
    operator's account.
    """
    if person.organisation_id is None or permissions.is_privileged(person):
        return Permission.MANAGE_STAFF
    return Permission.MANAGE_PEOPLE


def check_can_agree_to_key(
    organisation: Organisation, *, first: Person | None, by: Person
) -> None:
    """Raises PolicyError unless `by` may agree to an API key that opens mailboxes.

    `first` made the key, for the organisation's mailboxes. The two are not independent
    where one of them gave the other the role to make keys, at once or through others.
    """
    if first is not None and by == first:
        raise PolicyError(
            "You made this key, so you cannot agree to it. Ask another administrator, "
            "or the helpdesk."
        )
    needed = Permission.MANAGE_PEOPLE
    if by.is_mail_shut or not permissions.can(by, needed, organisation=organisation):
        raise PolicyError("You do not manage this organisation's people.")
    if not has_held(by, needed, organisation):
        raise PolicyError(
            "Your role is too new for you to agree to this. Ask "
            "another administrator, or the helpdesk."
        )
    if first is not None:
        _check_maker(first, organisation, by=by)


def _check_maker(maker: Person, organisation: Organisation, *, by: Person) -> None:
    """Raises PolicyError where the maker's role is too new, or `by` gave it."""
    if not has_held(maker, Permission.MANAGE_PEOPLE, organisation):
        raise PolicyError(
            f"{maker.name} made this key, and has not been an administrator of "
            f"{organisation} for {_hours()} hours. "
            "Agree to it when they have, or revoke it."
        )
    givers = own_administrators.givers(maker, RoleName.ADMINISTRATOR, organisation)
    if by.pk in givers:
        raise PolicyError(
            f"{maker.name} made this key, and you made {maker.name} an administrator, or "
            "the person who did, so you cannot agree to it. Ask another administrator, or "
            "the helpdesk."
        )


def has_held(
    person: Person, permission: Permission, organisation: Organisation | None
) -> bool:
    """Returns True if a role that grants it was given before the recovery delay.

    Without an organisation only staff roles count.

    `given_at` is unset for roles that the system gave when an organisation began.
    """
    long_ago = Q(given_at=None) | Q(given_at__lte=timezone.now() - recovery_delay())
    granting = [name for name in RoleName if permission in ROLES[name].permissions]
    staff = StaffRole.objects.filter(long_ago, person=person, role__in=granting)
    inside = OrganisationRole.objects.filter(
        long_ago, person=person, role__in=granting, organisation=organisation
    )
    return staff.exists() or inside.exists()


def _hours() -> str:
    return f"{recovery_delay().total_seconds() / 3600:.0f}"
