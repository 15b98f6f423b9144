"""One person: details, sign-in, roles and group mailboxes."""

from __future__ import annotations

from collections.abc import Sequence

from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry.models import Person, RoleName, SendingStop, StopKind
from engine.registry.permissions import Permission
from portal.account_admin import approvals, policies
from portal.console.access import held_as_staff, staff
from portal.console.mail import sending_stops
from portal.console.organisations.frame import member_url
from portal.console.page import (
    Button,
    Cell,
    Fact,
    Page,
    Section,
    Table,
    render_page,
    state_cell,
    yes_or_no,
)
from portal.console.people.approvals_table import approvals_table
from portal.console.people.frame import ABOVE, ICON, get_person
from portal.console.people.people_table import organisation_cell
from portal.emergency_access import policies as emergency_policies
from portal.ui.visitor import signed_in_person

PEOPLE = Permission.MANAGE_PEOPLE
STAFF = Permission.MANAGE_STAFF
FACTORS = {
    Authenticator.Type.TOTP: "Authenticator app",
    Authenticator.Type.WEBAUTHN: "Passkey",
}


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one person."""
    person = get_person(pk)
    held = held_as_staff(request.user)
    is_changeable = policies.may_change(person, by=signed_in_person(request))
    may_change = is_changeable and PEOPLE in held
    stops = sending_stops.standing(person)
    sections = [
        *sending_stops.sections(request, stops),
        Section(
            facts=_facts(person),
            buttons=_buttons(person, stops, may_change=may_change),
            text=""
            if is_changeable
            else "This person works for the service. Only an operator can change the "
            "account.",
        ),
        *_approvals(person, may_change=may_change),
        _sign_in(person, may_change=may_change),
        _roles(person),
    ]
    if person.organisation_id:
        sections.append(_grants(person))
    if emergency_policies.may_ask_about(person, by=signed_in_person(request)):
        sections.append(_emergency_access(person))
    if person.organisation_id is None or person.staff_roles.exists():
        sections.append(_staff_roles(person, may_change=STAFF in held))
    return render_page(request, Page(person.name, ICON, sections, above=ABOVE))


def _facts(person: Person) -> list[Fact]:
    return [
        ("Address", Cell(person.address)),
        ("State", state_cell(person.is_active)),
        ("Organisation", organisation_cell(person)),
        ("Job title", Cell(person.job_title or "—")),
        ("Phone", Cell(person.phone or "—")),
        ("Town", Cell(person.town or "—")),
        ("Everyday address", Cell(person.everyday_address or "—")),
        ("Kept out of the directory", yes_or_no(person.is_ex_directory)),
        ("Added", Cell(at=person.created_at)),
    ]


def _buttons(
    person: Person, stops: Sequence[SendingStop], *, may_change: bool
) -> list[Button]:
    stop = _stop_button(person, stops)
    if not may_change:
        return stop
    edit = Button("Edit", member_url("person_edit", person.pk), PEOPLE)
    if person.is_active:
        suspend = member_url("person_suspend", person.pk)
        change = Button("Suspend", suspend, PEOPLE, True)
    else:
        change = Button("Resume", member_url("person_resume", person.pk), PEOPLE)
    return [edit, change, *stop]


def _stop_button(person: Person, stops: Sequence[SendingStop]) -> list[Button]:
    """One button, or none for a person outside every organisation, who sends no mail."""
    if person.organisation_id is None:
        return []
    return sending_stops.buttons(StopKind.PERSON, person.pk, stops)


def _approvals(person: Person, *, may_change: bool) -> list[Section]:
    """One section, or none where nothing waits for a second person."""
    pending = approvals.of_person(person)
    if not pending or not may_change:
        return []
    return [Section("Waiting for a second person", table=approvals_table(pending))]


def _sign_in(person: Person, *, may_change: bool) -> Section:
    own = Authenticator.objects.filter(user=person).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    kinds = sorted({FACTORS[one.type] for one in own})
    has_password = person.has_usable_password()
    facts = [
        ("Password", Cell("Set" if has_password else "To be chosen by a link")),
        ("Second factor", Cell(", ".join(kinds) or "None")),
        (
            "Last signed in",
            Cell(at=person.last_login) if person.last_login else Cell("Never"),
        ),
    ]
    pk = person.pk
    buttons = [
        Button("Send a new sign-in link", member_url("person_link", pk), PEOPLE),
        Button("Reset the second factor", member_url("person_factor", pk), PEOPLE),
        Button("Change the everyday address", member_url("person_address", pk), PEOPLE),
    ]
    sessions = Button(
        "Where they are signed in", member_url("person_sessions", pk), PEOPLE
    )
    return Section(
        "Signing in",
        facts=facts,
        buttons=[*buttons, sessions] if may_change else [sessions],
    )


def _roles(person: Person) -> Section:
    rows = [
        [
            Cell(
                role.organisation.name,
                member_url("organisation", role.organisation_id),
            ),
            Cell(role.get_role_display()),
        ]
        for role in person.organisation_roles.select_related("organisation")
    ]
    buttons = []
    if person.organisation_id:
        is_administrator = any(
            role.role == RoleName.ADMINISTRATOR
            and role.organisation_id == person.organisation_id
            for role in person.organisation_roles.all()
        )
        label = (
            "Take the administrator role away"
            if is_administrator
            else "Make administrator"
        )
        href = reverse(
            "organisation:person_role", args=[person.organisation_id, person.pk]
        )
        buttons.append(Button(label, href, Permission.MANAGE_ROLES, is_administrator))
    table = Table(("Organisation", "Role"), rows, "A member, with no other role.")
    return Section("Roles in organisations", table=table, buttons=buttons)


def _grants(person: Person) -> Section:
    rows = [
        [
            Cell(
                grant.mailbox.name,
                member_url("mailbox", grant.mailbox.organisation_id, grant.mailbox_id),
            ),
            yes_or_no(grant.can_read),
            yes_or_no(grant.can_write),
            yes_or_no(grant.can_send),
        ]
        for grant in person.grants.select_related("mailbox")
    ]
    headings = ("Group mailbox", "Reads", "Moves", "Sends")
    return Section("Group mailboxes", table=Table(headings, rows, "None."))


def _emergency_access(person: Person) -> Section:
    ask = reverse("emergency_access:ask", args=[person.pk])
    return Section(
        "Emergency access",
        text="To read this person’s mailbox in an emergency, two other people have to "
        "approve: an administrator of the organisation, and a member of staff.",
        buttons=[Button("Ask for emergency access", ask, STAFF, True)],
    )


def _staff_roles(person: Person, *, may_change: bool) -> Section:
    rows = [
        [
            Cell(role.get_role_display()),
            Cell("Take away", member_url("staff_role_take", person.pk, role.pk))
            if may_change
            else Cell(),
        ]
        for role in person.staff_roles.all()
    ]
    give = Button("Give a role", member_url("staff_role_give", person.pk), STAFF)
    empty = "No role yet, so they cannot open any page of the console."
    return Section(
        "Staff roles", table=Table(("Role", ""), rows, empty), buttons=[give]
    )
