"""Whom an administrator may change, and how far."""

from __future__ import annotations

from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, OrganisationRole, Person, RoleName
from engine.registry.permissions import Permission, two_person_rule
from onboarding.first_sign_in.policies import can_have_sign_in, can_set_first_password


def may_change(person: Person, *, by: Person) -> bool:
    """False for staff, unless by somebody who manages staff.

    Whoever could give a member of staff another way in would hold their powers.
    """
    return not permissions.is_privileged(person) or permissions.can(
        by, Permission.MANAGE_STAFF
    )


def administers(person: Person, organisation: Organisation) -> bool:
    """True for its own administrators; staff who look after it are none of them."""
    return OrganisationRole.objects.filter(
        person=person, organisation=organisation, role=RoleName.ADMINISTRATOR
    ).exists()


def may_get_sign_in(person: Person) -> bool:
    """True for somebody of an organisation with a mail server who never had a password."""
    organisation = person.organisation
    if organisation is None or organisation.is_hosted:
        return False
    return can_have_sign_in(organisation) and can_set_first_password(person)


def check_can_reset(person: Person, *, by: Person) -> None:
    """Raise PolicyError unless a link to sign in anew can reach the person."""
    if person.pk == by.pk:
        raise PolicyError("Change your own password and second factor in “Account”.")
    if not person.is_active:
        raise PolicyError(f"{person.name} is suspended. Resume the account first.")
    two_person_rule.check_holds_same_powers(person, by=by)


def check_can_be_sent_link(person: Person) -> None:
    """Raise PolicyError where there is no address outside to send a link to."""
    if not person.notice_address:
        raise PolicyError(
            f"There is no everyday address for {person.name}. Ask for one first: "
            "the link to choose a new password is sent there."
        )


def may_reset_alone(person: Person, *, by: Person) -> bool:
    """True for the organisation's own administrators, and of its members alone.

    The mailbox then stays shut, unless a second person opens it.
    """
    organisation = person.organisation
    return (
        organisation is not None
        and not permissions.is_privileged(person)
        and administers(by, organisation)
    )
