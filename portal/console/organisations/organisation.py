"""One organisation: its details, and the changes of its status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.actions import organisations
from engine.registry.models import (
    Organisation,
    OrganisationStatus,
    Person,
    SendingStop,
    StopKind,
)
from engine.registry.models.organisation import ORGANISATION_TRANSITIONS
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import GuardedView
from portal.account_admin.policies import without_second_factor
from portal.console.access import staff
from portal.console.confirmation import confirmed_view
from portal.console.mail import sending_stops
from portal.console.organisations.forms import OrganisationForm, SuspendForm
from portal.console.organisations.frame import (
    ABOVE,
    ICON,
    get_organisation,
    member_url,
    render_tab,
)
from portal.console.page import Button, Cell, Fact, Section, yes_or_no
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm

MANAGE = Permission.MANAGE_ORGANISATIONS


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's details and numbers."""
    organisation = get_organisation(pk)
    stops = sending_stops.standing(organisation)
    sections = [
        *sending_stops.sections(request, stops),
        Section(facts=_facts(organisation), buttons=_buttons(organisation, stops)),
        Section("In numbers", facts=_numbers(organisation)),
    ]
    return render_tab(request, organisation, "organisation", sections)


def _facts(organisation: Organisation) -> list[Fact]:
    parent = organisation.parent
    is_suspended = organisation.status == OrganisationStatus.SUSPENDED
    return [
        ("Number", Cell(str(organisation.pk))),
        ("Status", Cell(organisation.get_status_display(), is_alarming=is_suspended)),
        ("Kind", Cell(organisation.get_kind_display())),
        ("Account type", Cell(organisation.get_account_type_display())),
        ("Town", Cell(organisation.town or "—")),
        ("Belongs to", Cell(parent.name, _url(parent)) if parent else Cell("—")),
        ("Second factor for everyone", yes_or_no(organisation.mfa_required)),
        ("Member since", Cell(at=organisation.created_at)),
    ]


def _numbers(organisation: Organisation) -> list[Fact]:
    counts = (
        ("People", organisation.people.count(), "organisation_people"),
        ("Domains", organisation.domains.count(), "domains"),
        ("Connections", organisation.connections.count(), "connections"),
        ("Mailboxes", organisation.mailboxes.count(), "mailboxes"),
        ("Distribution lists", organisation.distribution_lists.count(), "lists"),
    )
    below = organisation.children.count()
    missing = without_second_factor(organisation).count()
    return [
        *(
            (label, Cell(str(count), member_url(name, organisation.pk)))
            for label, count, name in counts
        ),
        ("Organisations that belong to it", Cell(str(below))),
        ("People without a second factor", Cell(str(missing))),
    ]


def _buttons(organisation: Organisation, stops: Sequence[SendingStop]) -> list[Button]:
    """Only the transitions that the organisation's status allows."""
    pk = organisation.pk
    allowed = ORGANISATION_TRANSITIONS[OrganisationStatus(organisation.status)]
    buttons = [Button("Edit", member_url("organisation_edit", pk), MANAGE)]
    if OrganisationStatus.ACTIVE in allowed:
        is_new = organisation.status == OrganisationStatus.PENDING
        name = "organisation_activate" if is_new else "organisation_resume"
        label = "Activate" if is_new else "Resume"
        buttons.append(Button(label, member_url(name, pk), MANAGE))
    if OrganisationStatus.SUSPENDED in allowed:
        href = member_url("organisation_suspend", pk)
        buttons.append(Button("Suspend", href, MANAGE, True))
    buttons += sending_stops.buttons(StopKind.ORGANISATION, pk, stops)
    if OrganisationStatus.CLOSED in allowed:
        href = member_url("organisation_close", pk)
        buttons.append(Button("Close", href, MANAGE, True))
    return buttons


def _url(organisation: Organisation) -> str:
    return member_url("organisation", organisation.pk)


def _view(
    verb: str,
    outcome: str,
    run: Any,
    text: str = "",
    *,
    form: Any = ReasonForm,
    button: str = "",
    initial: Any = None,
    is_warning: bool = False,
) -> GuardedView:
    """Builds the confirmation page of one change to an organisation."""

    def describe(organisation: Organisation, by: Person) -> Confirmation:
        return Confirmation(
            title=f"{verb} {organisation}",
            button=button or verb,
            done=f"{organisation} {outcome}.",
            text=text,
            is_warning=is_warning,
        )

    return confirmed_view(
        MANAGE,
        get_organisation,
        ConfirmedAction(describe, run, form, initial=initial),
        back=_url,
        icon=ICON,
        above=ABOVE,
    )


edit = _view(
    "Edit",
    "has been saved",
    organisations.edit,
    form=OrganisationForm,
    button="Save",
    initial=OrganisationForm.initial_of,
)
activate = _view(
    "Activate",
    "is active",
    organisations.activate,
    "Mail flows for it from now on. First check that its domains are right.",
)
suspend = _view(
    "Suspend",
    "is suspended",
    organisations.suspend,
    "Its people are signed out everywhere, from mail programs too, and can no longer "
    "sign in, send or receive. Mail for it is held, and not returned. API keys and app "
    "passwords do not work until it is resumed. Sessions do not come back then; API keys "
    "do, and so do app passwords unless you end them here.",
    form=SuspendForm,
    is_warning=True,
)
resume = _view(
    "Resume",
    "is active again",
    organisations.resume,
    "Its people can sign in again, and mail that was held is delivered. API keys and app "
    "passwords that were not ended work again: end those you doubt first.",
)
close = _view(
    "Close",
    "is closed",
    organisations.close,
    "Its membership ends permanently, and every session and app password of its people "
    "with it. This cannot be undone.",
    is_warning=True,
)
