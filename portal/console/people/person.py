"""One person: who they are, how they sign in, and what they may do."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry.models import Organisation, Person, RoleName
from engine.registry.permissions import Permission
from portal.account_admin import approvals, policies
from portal.console.access import held_as_staff, staff
from portal.console.confirmation import person_of as visitor
from portal.console.organisations.frame import PEOPLE_ABOVE, PERSON_ICON, person_of, url
from portal.console.people.approvals_table import table
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw, yes_or_no

PEOPLE = Permission.MANAGE_PEOPLE
STAFF = Permission.MANAGE_STAFF
FACTORS = {
    Authenticator.Type.TOTP: "Authenticator app",
    Authenticator.Type.WEBAUTHN: "Passkey",
}


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    person = person_of(pk)
    held = held_as_staff(request.user)
    is_open = policies.may_change(person, by=visitor(request))
    may_change = is_open and PEOPLE in held
    sections = [
        Section(
            facts=_facts(person),
            buttons=_buttons(person) if may_change else (),
            text=""
            if is_open
            else "This person works for the service. An operator changes the account.",
        ),
        *_waiting(person, may_change=may_change),
        _sign_in(person, may_change=may_change),
        _roles(person),
    ]
    if person.organisation_id:
        sections.append(_grants(person))
    if person.organisation_id is None or person.staff_roles.exists():
        sections.append(_staff_roles(person, may_change=STAFF in held))
    sheet = Sheet(person.name, PERSON_ICON, sections, above=PEOPLE_ABOVE)
    return draw(request, sheet)


def _facts(person: Person) -> list[tuple[str, Cell]]:
    organisation = person.organisation
    state = Cell("Active") if person.is_active else Cell("Suspended", is_alarming=True)
    return [
        ("Address", Cell(person.address)),
        ("State", state),
        ("Organisation", _place(organisation)),
        ("Job title", Cell(person.job_title or "—")),
        ("Phone", Cell(person.phone or "—")),
        ("Town", Cell(person.town or "—")),
        ("Everyday address", Cell(person.everyday_address or "—")),
        ("Kept out of the directory", yes_or_no(person.is_ex_directory)),
        ("Added", Cell(at=person.created_at)),
    ]


def _place(organisation: Organisation | None) -> Cell:
    if organisation is None:
        return Cell("The service")
    return Cell(organisation.name, url("organisation", organisation.pk))


def _buttons(person: Person) -> list[Button]:
    found = [Button("Edit", url("person_edit", person.pk), PEOPLE)]
    if person.is_active:
        return [
            *found,
            Button("Suspend", url("person_suspend", person.pk), PEOPLE, True),
        ]
    return [*found, Button("Resume", url("person_resume", person.pk), PEOPLE)]


def _waiting(person: Person, *, may_change: bool) -> list[Section]:
    """What waits for a second person; no section where nothing does."""
    waits = approvals.of_person(person)
    if not waits or not may_change:
        return []
    return [Section("Waiting for a second person", table=table(waits))]


def _sign_in(person: Person, *, may_change: bool) -> Section:
    own = Authenticator.objects.filter(user=person).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    kinds = sorted({FACTORS[one.type] for one in own})
    facts = [
        (
            "Password",
            Cell("Set" if person.has_usable_password() else "To be chosen by a link"),
        ),
        ("Second factor", Cell(", ".join(kinds) or "None")),
        (
            "Last signed in",
            Cell(at=person.last_login) if person.last_login else Cell("Never"),
        ),
    ]
    buttons = [
        Button("Send a link to sign in anew", url("person_link", person.pk), PEOPLE),
        Button("Reset the second factor", url("person_factor", person.pk), PEOPLE),
        Button(
            "Ask for another everyday address", url("person_address", person.pk), PEOPLE
        ),
    ]
    seen = Button("Where they are signed in", url("person_sessions", person.pk), PEOPLE)
    return Section(
        "Signing in",
        facts=facts,
        buttons=[*buttons, seen] if may_change else [seen],
    )


def _roles(person: Person) -> Section:
    rows = [
        [
            Cell(role.organisation.name, url("organisation", role.organisation_id)),
            Cell(role.get_role_display()),
        ]
        for role in person.organisation_roles.select_related("organisation")
    ]
    buttons = []
    if person.organisation_id:
        is_one = any(
            role.role == RoleName.ADMINISTRATOR
            and role.organisation_id == person.organisation_id
            for role in person.organisation_roles.all()
        )
        label = "Take the administrator role away" if is_one else "Make administrator"
        href = reverse(
            "organisation:person_role", args=[person.organisation_id, person.pk]
        )
        buttons.append(Button(label, href, Permission.MANAGE_ROLES, is_grave=is_one))
    table = Table(("Organisation", "Role"), rows, "A member, with no other role.")
    return Section("Roles in organisations", table=table, buttons=buttons)


def _grants(person: Person) -> Section:
    rows = [
        [
            Cell(
                grant.mailbox.name,
                url("mailbox", grant.mailbox.organisation_id, grant.mailbox_id),
            ),
            yes_or_no(grant.can_read),
            yes_or_no(grant.can_write),
            yes_or_no(grant.can_send),
        ]
        for grant in person.grants.select_related("mailbox")
    ]
    headings = ("Group mailbox", "Reads", "Moves", "Sends")
    return Section("Group mailboxes", table=Table(headings, rows, "None."))


def _staff_roles(person: Person, *, may_change: bool) -> Section:
    rows = [
        [
            Cell(role.get_role_display()),
            Cell("Take away", url("staff_role_take", person.pk, role.pk))
            if may_change
            else Cell(),
        ]
        for role in person.staff_roles.all()
    ]
    give = Button("Give a role", url("staff_role_give", person.pk), STAFF)
    table = Table(("Role", ""), rows, "No role yet: they can open nothing here.")
    return Section("Roles of staff", table=table, buttons=[give])
