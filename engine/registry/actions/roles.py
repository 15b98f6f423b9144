"""Actions on roles: in an organisation, and of staff."""

from __future__ import annotations

from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
    StaffRole,
)
from engine.registry.permissions.last_administrator import (
    check_not_last_administrator,
    check_not_last_operator,
)
from engine.registry.permissions.own_administrators import (
    check_may_open_mail,
    is_outsider,
    person_behind,
)
from engine.registry.permissions.roles import ORGANISATION_ROLES
from engine.registry.verbs import record_action, verb


@verb
def give(
    person: Person, role: RoleName, *, organisation: Organisation, by: Actor | None
) -> None:
    """Gives a person a role in an organisation; giving it again changes nothing.

    Raises PolicyError for a staff role, and for oneself: an operator who is a member of
    the organisation would open its mail in that way. Staff make an administrator only
    where none is left, and everyone in the organisation is notified.
    """
    if role not in ORGANISATION_ROLES:
        raise PolicyError(
            f"{role.label} is a staff role, not a role in an organisation."
        )
    if person_behind(by) == person:
        raise PolicyError("You cannot give yourself a role. Ask another administrator.")
    held = OrganisationRole.objects.filter(
        person=person, organisation=organisation, role=role
    )
    if held.exists():
        return
    is_by_staff = role == RoleName.ADMINISTRATOR and is_outsider(by, organisation)
    if role == RoleName.ADMINISTRATOR:
        check_may_open_mail(organisation, by=by)
    # given_at delays the role's vote as a second person's; roles that the system gives
    # when an organisation begins count immediately.
    OrganisationRole.objects.create(
        person=person,
        organisation=organisation,
        role=role,
        given_at=timezone.now() if by else None,
    )
    _record("role.given", person, role, organisation, by)
    if is_by_staff:
        named = {"administrator": person.address}
        record_action("organisation.administrator_named", organisation, named, by=by)


@verb
def take(
    person: Person, role: RoleName, *, organisation: Organisation, by: Actor | None
) -> None:
    """Removes a person's role in an organisation; removing it again changes nothing.

    Raises PolicyError for the last administrator.
    """
    held = OrganisationRole.objects.filter(
        person=person, organisation=organisation, role=role
    )
    if not held.exists():
        return
    if role == RoleName.ADMINISTRATOR:
        check_not_last_administrator(person, organisation=organisation)
    held.delete()
    _record("role.taken", person, role, organisation, by)


@verb
def give_staff(
    person: Person, role: RoleName, *, reason: str = "", by: Actor | None
) -> None:
    """Gives a person a staff role; giving it again changes nothing.

    Raises PolicyError for a role inside organisations, and for oneself.
    """
    if role in ORGANISATION_ROLES:
        raise PolicyError(
            f"{role.label} is a role in an organisation, not a staff role."
        )
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
    """Removes a person's staff role; removing it again changes nothing.

    Raises PolicyError for the last operator.
    """
    if role == RoleName.OPERATOR:
        check_not_last_operator(person)
    deleted, _ = StaffRole.objects.filter(person=person, role=role).delete()
    if deleted:
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
    record_action(
        event,
        person,
        {"role": str(role), "organisation": str(organisation or "")},
        # Of the role, not of the person: a supplier may administer several.
        organisation_key=organisation.pk if organisation else "",
        reason=reason,
        by=by,
    )
