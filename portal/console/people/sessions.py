"""One person's sessions and app passwords: shown, and ended by staff."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry.models import AppPassword, Person
from engine.registry.permissions import Permission
from portal.account_admin import confirmations, policies
from portal.account_admin.confirmations import OwnedRow
from portal.console.access import staff
from portal.console.confirmation import confirmed_view
from portal.console.organisations.frame import member_url
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.console.people.frame import ABOVE, ICON, get_person
from portal.sessions.models import SignIn, WebSession
from portal.sessions.session_list import CountedSignIns, overview_of, session_of
from portal.ui.visitor import signed_in_person

PEOPLE = Permission.MANAGE_PEOPLE


@staff(PEOPLE)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The person's sessions, app passwords and latest sign-ins."""
    person = get_person(pk)
    may_change = policies.may_change(person, by=signed_in_person(request))
    overview = overview_of(person)
    sections = [
        _sessions(person, overview["sessions"], may_change=may_change),
        _app_passwords(person, overview["app_passwords"], may_change=may_change),
        _sign_ins(overview["sign_ins"]),
        _counted(overview["counted"]),
    ]
    title = f"Where {person.name} is signed in"
    return render_page(request, Page(title, ICON, sections, above=ABOVE))


def _sessions(person: Person, found: list[WebSession], *, may_change: bool) -> Section:
    rows = [
        [
            Cell(one.browser),
            Cell(one.peer or "Not known"),
            Cell(at=one.opened_at),
            Cell(at=one.seen_at),
            Cell("End", reverse("members:session_end", args=[person.pk, one.public_id]))
            if may_change
            else Cell(),
        ]
        for one in found
    ]
    headings = ("Browser", "Network address", "Signed in", "Last used", "")
    everywhere = Button(
        "Sign out everywhere", member_url("person_sign_out", person.pk), PEOPLE, True
    )
    return Section(
        "Browsers",
        table=Table(headings, rows, "They are not signed in anywhere."),
        buttons=[everywhere] if may_change else (),
    )


def _app_passwords(
    person: Person, found: list[AppPassword], *, may_change: bool
) -> Section:
    rows = [
        [
            Cell(one.name),
            Cell(at=one.created_at),
            Cell(at=one.last_used_at) if one.last_used_at else Cell("Never"),
            Cell("End", member_url("app_password_end", person.pk, one.pk))
            if may_change
            else Cell(),
        ]
        for one in found
    ]
    headings = ("App password", "Made", "Last used", "")
    return Section("Mail programs", table=Table(headings, rows, "No app passwords."))


def _counted(found: list[CountedSignIns]) -> Section:
    rows = [
        [Cell(at=one.hour), Cell(one.what), Cell(one.network), Cell(str(one.count))]
        for one in found
    ]
    headings = ("In the hour from", "What", "Network", "Times")
    empty = "There were none in the last 30 days."
    return Section(
        "Mail programs and failed attempts", table=Table(headings, rows, empty)
    )


def _sign_ins(found: list[SignIn]) -> Section:
    rows = [
        [Cell(at=one.at), Cell(one.browser), Cell(one.peer or "Not known")]
        for one in found
    ]
    headings = ("When", "Browser", "Network address")
    empty = "No sign-ins on record. They are kept for 90 days."
    return Section("When they signed in", table=Table(headings, rows, empty))


def _back(person: Person) -> str:
    return member_url("person_sessions", person.pk)


def _find_session(pk: int, session_id: str) -> OwnedRow:
    person = get_person(pk)
    return OwnedRow(person, session_of(person, session_id))


def _find_app_password(pk: int, key: int) -> OwnedRow:
    person = get_person(pk)
    return OwnedRow(person, get_object_or_404(person.app_passwords.live(), pk=key))


def _may_end(found: OwnedRow, *, by: Person) -> bool:
    return policies.may_change(found.person, by=by)


sign_out_everywhere = confirmed_view(
    PEOPLE,
    get_person,
    confirmations.SIGN_OUT_EVERYWHERE,
    back=_back,
    icon=ICON,
    above=ABOVE,
    allows=policies.may_change,
)
end_session = confirmed_view(
    PEOPLE,
    _find_session,
    confirmations.END_SESSION,
    back=lambda found: _back(found.person),
    icon=ICON,
    above=ABOVE,
    allows=_may_end,
)
end_app_password = confirmed_view(
    PEOPLE,
    _find_app_password,
    confirmations.END_APP_PASSWORD,
    back=lambda found: _back(found.person),
    icon=ICON,
    above=ABOVE,
    allows=_may_end,
)
