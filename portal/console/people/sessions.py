"""Where one person is signed in, and with which app passwords: seen and ended by staff."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import people
from engine.registry.actions.sessions import end_sessions
from engine.registry.models import AppPassword, Person
from engine.registry.permissions import Permission
from portal.account_admin import policies
from portal.console.access import staff
from portal.console.confirmation import ReasonForm, Words, act, typed
from portal.console.confirmation import person_of as visitor
from portal.console.organisations.frame import PEOPLE_ABOVE, PERSON_ICON, person_of, url
from portal.console.people.account_actions import changeable
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw
from portal.sessions.actions import end_session
from portal.sessions.models import SignIn, WebSession
from portal.sessions.session_list import overview_of, session_of

PEOPLE = Permission.MANAGE_PEOPLE


@staff(PEOPLE)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    person = person_of(pk)
    may_change = policies.may_change(person, by=visitor(request))
    overview = overview_of(person)
    sections = [
        _sessions(person, overview["sessions"], may_change=may_change),
        _app_passwords(person, overview["app_passwords"], may_change=may_change),
        _sign_ins(overview["sign_ins"]),
    ]
    title = f"Where {person.name} is signed in"
    return draw(request, Sheet(title, PERSON_ICON, sections, above=PEOPLE_ABOVE))


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
        "Sign out everywhere", url("person_sign_out", person.pk), PEOPLE, True
    )
    return Section(
        "Browsers",
        table=Table(headings, rows, "They are signed in nowhere now."),
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
            Cell("End", url("app_password_end", person.pk, one.pk))
            if may_change
            else Cell(),
        ]
        for one in found
    ]
    headings = ("App password", "Made", "Last used", "")
    return Section(
        "Mail programs", table=Table(headings, rows, "There are no app passwords.")
    )


def _sign_ins(found: list[SignIn]) -> Section:
    rows = [
        [Cell(at=one.at), Cell(one.browser), Cell(one.peer or "Not known")]
        for one in found
    ]
    headings = ("When", "Browser", "Network address")
    empty = "There are none on record. They are kept for 90 days."
    return Section("When they signed in", table=Table(headings, rows, empty))


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def everywhere(request: HttpRequest, pk: int) -> HttpResponse:
    person = changeable(request, pk)
    text = (
        "Every browser and every mail program is signed out at once, and all app "
        "passwords end. The password and the second factor stay. They are told."
    )
    words = _words(person, f"Sign {person.name} out everywhere", "Sign out", text)

    def verb(reason: str) -> None:
        end_sessions(person, reason=reason, by=visitor(request))

    return _with_reason(request, verb, words)


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int, session_id: str) -> HttpResponse:
    person = changeable(request, pk)
    session = session_of(person, session_id)
    text = f"{session.browser}, from {session.peer}, has to sign in again."
    words = _words(person, f"End a session of {person.name}", "End it", text)

    def verb(reason: str) -> None:
        end_session(session, reason=reason, by=visitor(request))

    return _with_reason(request, verb, words)


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def end_app_password(request: HttpRequest, pk: int, key: int) -> HttpResponse:
    person = changeable(request, pk)
    found = get_object_or_404(person.app_passwords.live(), pk=key)
    text = f"The mail program that uses “{found.name}” is disconnected."
    words = _words(person, f"End an app password of {person.name}", "End it", text)

    def verb(reason: str) -> None:
        people.revoke_app_password(found, reason=reason, by=visitor(request))

    return _with_reason(request, verb, words)


def _with_reason(
    request: HttpRequest, verb: Callable[[str], None], words: Words
) -> HttpResponse:
    form = ReasonForm(typed(request))
    return act(request, form, lambda: verb(form.cleaned_data["reason"]), words)


def _words(person: Person, title: str, button: str, text: str) -> Words:
    return Words(
        title=title,
        button=button,
        done=f"The account of {person.name} was changed.",
        back=url("person_sessions", person.pk),
        text=text,
        icon=PERSON_ICON,
        above=PEOPLE_ABOVE,
        is_grave=True,
    )
