"""Which accounts an administrator or member of staff may change, and how far."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
)
from engine.registry.permissions import Permission, two_person_rule
from engine.registry.permissions.own_administrators import person_behind
from onboarding.first_sign_in.policies import can_have_sign_in, can_set_first_password

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def may_change(person: Person, *, by: Person) -> bool:
    """False for a member of staff, unless changed by a person who manages staff.

    Otherwise a helpdesk agent could send an operator's sign-in link to another address,
    and hold the operator's permissions.
    """
    return not permissions.is_privileged(person) or permissions.can(
        by, Permission.MANAGE_STAFF
    )


def administers(person: Person, organisation: Organisation) -> bool:
    """True for the organisation's own administrators; not for staff."""
    return OrganisationRole.objects.filter(
        person=person, organisation=organisation, role=RoleName.ADMINISTRATOR
    ).exists()


def may_get_sign_in(person: Person) -> bool:
    """True for a person whose organisation has its own server and who has no password yet."""
    organisation = person.organisation
    if organisation is None or organisation.is_hosted:
        return False
    return can_have_sign_in(organisation) and can_set_first_password(person)


def check_can_reset(person: Person, *, by: Actor) -> None:
    """Raises PolicyError unless `by` may reset how the person signs in."""
    if person == person_behind(by):
        raise PolicyError("Change your own password and second factor in “Account”.")
    if not person.is_active:
        raise PolicyError(f"{person.name} is suspended. Resume the account first.")
    two_person_rule.check_holds_same_powers(person, by=by)


def check_can_be_sent_link(person: Person) -> None:
    """Raises PolicyError where no address outside the community is known."""
    if not person.notice_address:
        raise PolicyError(
            f"{person.name} has no everyday address. Add one first: the link to choose "
            "a new password is sent there."
        )


def may_reset_alone(person: Person, *, by: Person) -> bool:
    """True for the organisation's own administrators, and only for its members.

    The mailbox then stays shut until a second person opens it.
    """
    organisation = person.organisation
    return (
        organisation is not None
        and not permissions.is_privileged(person)
        and administers(by, organisation)
    )


def without_second_factor(organisation: Organisation) -> QuerySet[Person]:
    """Active people of the organisation who sign in with a password alone."""
    own = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
    return organisation.people.filter(~Exists(own), is_active=True)
