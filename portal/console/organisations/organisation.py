"""One organisation: what it is, and what staff do to it as a whole."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import organisations
from engine.registry.models import Organisation, OrganisationStatus
from engine.registry.models.organisation import ORGANISATION_TRANSITIONS
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import ReasonForm, Words, act, person_of, typed
from portal.console.organisations.forms import OrganisationForm, SuspendForm
from portal.console.organisations.frame import ABOVE, ICON, organisation_of, tabs, url
from portal.console.sheet import Button, Cell, Section, Sheet, draw, yes_or_no
from portal.organisation.attention import without_second_factor

MANAGE = Permission.MANAGE_ORGANISATIONS


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    sections = [
        Section(facts=_facts(organisation), buttons=_buttons(organisation)),
        Section("In numbers", facts=_numbers(organisation)),
    ]
    sheet = Sheet(
        organisation.name,
        ICON,
        sections,
        above=ABOVE,
        tabs=tabs(request, organisation, "organisation"),
    )
    return draw(request, sheet)


def _facts(organisation: Organisation) -> list[tuple[str, Cell]]:
    parent = organisation.parent
    above = Cell(parent.name, url("organisation", parent.pk)) if parent else Cell("—")
    is_suspended = organisation.status == OrganisationStatus.SUSPENDED
    return [
        ("Number", Cell(str(organisation.pk))),
        ("Status", Cell(organisation.get_status_display(), is_alarming=is_suspended)),
        ("Kind", Cell(organisation.get_kind_display())),
        ("Account type", Cell(organisation.get_account_type_display())),
        ("Town", Cell(organisation.town or "—")),
        ("Belongs to", above),
        ("Second factor for everybody", yes_or_no(organisation.mfa_required)),
        ("Member since", Cell(at=organisation.created_at)),
    ]


def _numbers(organisation: Organisation) -> list[tuple[str, Cell]]:
    pk = organisation.pk
    counted = (
        ("People", organisation.people.count(), "organisation_people"),
        ("Domains", organisation.domains.count(), "domains"),
        ("Connections", organisation.connections.count(), "connections"),
        ("Mailboxes", organisation.mailboxes.count(), "mailboxes"),
        ("Distribution lists", organisation.distribution_lists.count(), "lists"),
    )
    numbers = [
        (label, Cell(str(count), url(name, pk))) for label, count, name in counted
    ]
    below = organisation.children.count()
    missing = without_second_factor(organisation).count()
    return [
        *numbers,
        ("Organisations below it", Cell(str(below))),
        ("People without a second factor", Cell(str(missing))),
    ]


def _buttons(organisation: Organisation) -> list[Button]:
    """Only the ways that are open from where the organisation stands."""
    pk = organisation.pk
    ways = ORGANISATION_TRANSITIONS[OrganisationStatus(organisation.status)]
    found = [Button("Edit", url("organisation_edit", pk), MANAGE)]
    if OrganisationStatus.ACTIVE in ways:
        is_new = organisation.status == OrganisationStatus.PENDING
        name = "organisation_activate" if is_new else "organisation_resume"
        found.append(Button("Activate" if is_new else "Resume", url(name, pk), MANAGE))
    if OrganisationStatus.SUSPENDED in ways:
        found.append(Button("Suspend", url("organisation_suspend", pk), MANAGE, True))
    if OrganisationStatus.CLOSED in ways:
        found.append(Button("Close", url("organisation_close", pk), MANAGE, True))
    return found


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    initial = OrganisationForm.initial_of(organisation)
    form = OrganisationForm(typed(request), initial=initial)
    words = _words(organisation, "Edit", "Save", "has been saved")

    def verb() -> None:
        organisations.edit(organisation, by=person_of(request), **form.cleaned_data)

    return act(request, form, verb, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    text = "Mail flows for it from now on: see first that its domains are right."
    form = ReasonForm(typed(request))
    organisation = organisation_of(pk)

    def verb() -> None:
        organisations.activate(
            organisation, reason=form.cleaned_data["reason"], by=person_of(request)
        )

    words = _words(organisation, "Activate", "Activate", "is active", text)
    return act(request, form, verb, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    text = (
        "Its people are signed out everywhere, from mail programs too, and can no longer "
        "sign in, send or receive. Mail that waits for it is held, never returned. Keys "
        "and app passwords open nothing until it is resumed. Sessions do not come back "
        "then; keys do, and so do the app passwords unless you end them."
    )
    organisation = organisation_of(pk)
    form = SuspendForm(typed(request))

    def run() -> None:
        organisations.suspend(
            organisation,
            reason=form.cleaned_data["reason"],
            ends_app_passwords=form.cleaned_data["ends_app_passwords"],
            by=person_of(request),
        )

    words = _words(
        organisation, "Suspend", "Suspend", "is suspended", text, is_grave=True
    )
    return act(request, form, run, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    text = (
        "Its people can sign in again, and mail that was held is delivered. Keys, and "
        "app passwords that were not ended, work again: end those that you doubt first."
    )
    return _moved(request, pk, organisations.resume, "Resume", "is active again", text)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, pk: int) -> HttpResponse:
    text = (
        "Its membership ends for good, and with it every session and app password of its "
        "people. This cannot be undone."
    )
    return _moved(request, pk, organisations.close, "Close", "is closed", text)


def _moved(
    request: HttpRequest,
    pk: int,
    change: Callable[..., None],
    verb: str,
    done: str,
    text: str,
) -> HttpResponse:
    """Ask for the reason, and do it."""
    organisation = organisation_of(pk)
    form = ReasonForm(typed(request))

    def run() -> None:
        change(organisation, reason=form.cleaned_data["reason"], by=person_of(request))

    is_grave = verb != "Resume"
    words = _words(organisation, verb, verb, done, text, is_grave=is_grave)
    return act(request, form, run, words)


def _words(
    organisation: Organisation,
    verb: str,
    button: str,
    done: str,
    text: str = "",
    *,
    is_grave: bool = False,
) -> Words:
    return Words(
        title=f"{verb} {organisation}",
        button=button,
        done=f"{organisation} {done}.",
        back=url("organisation", organisation.pk),
        text=text,
        icon=ICON,
        above=ABOVE,
        is_grave=is_grave,
    )
