"""An organisation keeps an administrator, and the service an operator."""

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

# Roles that are held in one organisation; all others are staff's.
INSIDE = frozenset({RoleName.MEMBER, RoleName.ADMINISTRATOR})


def check_can_lose_administrator(
    person: Person, *, organisation: Organisation | None = None
) -> None:
    """Raise PolicyError where an active organisation would be left without one.

    Without an organisation: any of those that the person administers.
    """
    held = OrganisationRole.objects.filter(
        person=person,
        role=RoleName.ADMINISTRATOR,
        organisation__status=OrganisationStatus.ACTIVE,
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
                f"{person.name} is the only administrator of {role.organisation}. "
                "Give somebody else that role first."
            )


def check_can_lose_operator(person: Person) -> None:
    """Raise PolicyError where nobody else could give anybody a role of staff."""
    operators = StaffRole.objects.filter(role=RoleName.OPERATOR)
    if not operators.filter(person=person).exists():
        return
    if not operators.filter(person__is_active=True).exclude(person=person).exists():
        raise PolicyError(
            f"{person.name} is the only operator. Give somebody else that role first."
        )
