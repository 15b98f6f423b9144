"""Keeps an administrator for every active organisation, and an operator for the service."""

from __future__ import annotations

from engine.registry.errors import PolicyError
from engine.registry.models import (
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    RoleName,
    StaffRole,
)


def check_not_last_administrator(
    person: Person, *, organisation: Organisation | None = None
) -> None:
    """Raises PolicyError if an organisation would be left without administrator.

    Without an organisation: checks each one that the person administers. Suspended ones
    too: staff could otherwise suspend one, clear it of administrators, name another, and
    resume it.
    """
    held = OrganisationRole.objects.filter(
        person=person,
        role=RoleName.ADMINISTRATOR,
        organisation__status__in=(
            OrganisationStatus.ACTIVE,
            OrganisationStatus.SUSPENDED,
        ),
    )
    if organisation is not None:
        held = held.filter(organisation=organisation)
    for role in held.select_related("organisation"):
        others = OrganisationRole.objects.filter(
            organisation=role.organisation,
            role=RoleName.ADMINISTRATOR,
            person__is_active=True,
        ).exclude(person=person)
        if not others.exists():
            raise PolicyError(
                f"{person.name} is the only administrator of {role.organisation}, and "
                "has to give another person that role first."
            )


def check_not_last_operator(person: Person) -> None:
    """Raises PolicyError if no other active operator could give out staff roles."""
    operators = StaffRole.objects.filter(role=RoleName.OPERATOR)
    if not operators.filter(person=person).exists():
        return
    if not operators.filter(person__is_active=True).exclude(person=person).exists():
        raise PolicyError(
            f"{person.name} is the only operator. Give another person that role first."
        )
