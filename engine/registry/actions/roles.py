from __future__ import annotations

from django.utils import timezone

from engine.audit.record import record
from engine.registry.actor import Actor
from engine.registry.administrators import (
    INSIDE,
    check_can_lose_administrator,
    check_can_lose_operator,
)
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
    StaffRole,
)
from engine.registry.verbs import verb


@verb
def give(
    person: Person, role: RoleName, *, organisation: Organisation, by: Actor | None
) -> None:
    """Give a person a role in an organisation. Giving it again changes nothing."""
    if role not in INSIDE:
        raise PolicyError(f"{role.label} is a role of staff.")
    _, is_new = OrganisationRole.objects.get_or_create(
        person=person,
        organisation=organisation,
        role=role,
        defaults={"given_at": timezone.now() if by else None},
    )
    if is_new:
        _record("role.given", person, role, organisation, by)


@verb
def take(
    person: Person, role: RoleName, *, organisation: Organisation, by: Actor | None
) -> None:
    """Take a role in an organisation away; the last administrator keeps it."""
    held = OrganisationRole.objects.filter(
        person=person, organisation=organisation, role=role
    )
    if not held.exists():
        return
    if role == RoleName.ADMINISTRATOR:
        check_can_lose_administrator(person, organisation=organisation)
    held.delete()
    _record("role.taken", person, role, organisation, by)


@verb
def give_staff(
    person: Person, role: RoleName, *, reason: str = "", by: Actor | None
) -> None:
    """Give a person a role of staff. Giving it again changes nothing."""
    if role in INSIDE:
        raise PolicyError(f"{role.label} is a role in an organisation.")
    if by == person:
        raise PolicyError("You cannot give yourself a role. Ask another operator.")
    _, is_new = StaffRole.objects.get_or_create(
        person=person, role=role, defaults={"given_at": timezone.now() if by else None}
    )
    if is_new:
        _record("staff_role.given", person, role, None, by, reason=reason)


@verb
def take_staff(
    person: Person, role: RoleName, *, reason: str = "", by: Actor | None
) -> None:
    """Take a role of staff away; the last operator keeps it."""
    if role == RoleName.OPERATOR:
        check_can_lose_operator(person)
    gone, _ = StaffRole.objects.filter(person=person, role=role).delete()
    if gone:
        _record("staff_role.taken", person, role, None, by, reason=reason)


def _record(
    event: str,
    person: Person,
    role: RoleName,
    organisation: Organisation | None,
    by: Actor | None,
    *,
    reason: str = "",
) -> None:
    record(
        event,
        person,
        organisation_key=organisation.pk if organisation else "",
        detail={
            "role": str(role),
            "organisation": str(organisation or ""),
            **({"reason": reason} if reason else {}),
        },
        by=by,
    )
