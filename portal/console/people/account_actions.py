"""What staff do to one person's account. Only operators change accounts of staff."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.shortcuts import get_object_or_404

from engine.registry.actions import people, roles
from engine.registry.models import Person, RoleName
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import GuardedView
from portal.account_admin import confirmations, policies
from portal.account_admin.forms import PersonForm
from portal.console.confirmation import confirmed_view
from portal.console.people.forms import StaffRoleForm
from portal.console.people.frame import ABOVE, ICON, get_person, person_url
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm

PEOPLE = Permission.MANAGE_PEOPLE
STAFF = Permission.MANAGE_STAFF


def _describe_edit(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Edit {person.name}",
        button="Save",
        done=f"The details of {person.name} have been saved.",
    )


def _describe_new_role(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Give a role to {person.name}",
        button="Give the role",
        done=f"{person.name} has the role.",
        text="They need a second factor before they can open any page of the console.",
    )


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A staff role that a person holds."""

    person: Person
    role: RoleName


def _find_role(pk: int, key: int) -> HeldRole:
    person = get_person(pk)
    return HeldRole(
        person, RoleName(get_object_or_404(person.staff_roles, pk=key).role)
    )


def _describe_role_removal(held: HeldRole, by: Person) -> Confirmation:
    name = held.person.name
    return Confirmation(
        title=f"Take a role from {name}",
        button="Take the role away",
        done=f"{name} no longer has the role.",
        text=f"They lose the role: {held.role.label.lower()}.",
        is_warning=True,
    )


def _give_role(person: Person, *, role: str, reason: str, by: Person) -> None:
    roles.give_staff(person, RoleName(role), reason=reason, by=by)


def _take_role(held: HeldRole, *, reason: str, by: Person) -> None:
    roles.take_staff(held.person, held.role, reason=reason, by=by)


EDIT = ConfirmedAction(
    _describe_edit, people.edit, PersonForm, initial=PersonForm.initial_of
)
GIVE_ROLE = ConfirmedAction(_describe_new_role, _give_role, StaffRoleForm)
TAKE_ROLE = ConfirmedAction(_describe_role_removal, _take_role, ReasonForm)
# Staff act across organisations, so they say why they resume an account too.
RESUME = replace(confirmations.RESUME, form=ReasonForm)


def _person_view(action: ConfirmedAction[Person]) -> GuardedView:
    return confirmed_view(
        PEOPLE,
        get_person,
        action,
        back=person_url,
        icon=ICON,
        above=ABOVE,
        allows=policies.may_change,
    )


edit = _person_view(EDIT)
suspend = _person_view(confirmations.SUSPEND)
resume = _person_view(RESUME)
send_link = _person_view(confirmations.SEND_LINK)
reset_second_factor = _person_view(confirmations.RESET_SECOND_FACTOR)
change_address = _person_view(confirmations.CHANGE_ADDRESS)
give_role = confirmed_view(
    STAFF, get_person, GIVE_ROLE, back=person_url, icon=ICON, above=ABOVE
)
take_role = confirmed_view(
    STAFF,
    _find_role,
    TAKE_ROLE,
    back=lambda held: person_url(held.person),
    icon=ICON,
    above=ABOVE,
)
