"""Sending stops: who may not send for now, on one page and on the pages of each sender."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django import forms
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.queue import sending_stops
from engine.registry import senders
from engine.registry.actions.sending_stops import Stoppable
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Connection,
    Organisation,
    Person,
    SenderKind,
    SendingStop,
    StopKind,
)
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff, staff
from portal.console.confirmation import confirmed_view, form_page
from portal.console.organisations.frame import member_url
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm, post_data
from portal.ui.visitor import signed_in_person

ICON = "lock"
TITLE = "Sending stops"
ABOVE = (("console:stops", TITLE),)
MANAGE = Permission.MANAGE_QUEUE
KINDS = {
    StopKind.PERSON: SenderKind.PERSON,
    StopKind.CONNECTION: SenderKind.CONNECTION,
    StopKind.ORGANISATION: SenderKind.ORGANISATION,
}
HEADINGS = ("Who", "What it is", "Stopped", "By", "Reason", "")
EFFECT = (
    "Within seconds, mail programs, webmail, the API and servers are asked to try again "
    "later, and accepted mail that has not left is held. Nothing is lost: all of it goes "
    "on when you lift the stop. Receiving and signing in are not affected; to shut out an "
    "intruder, suspend the account as well. The administrators of the organisation are "
    "notified by mail."
)


class StopReasonForm(ReasonForm):
    """Why a sender is stopped or may go on; the administrators read it."""

    reason = forms.CharField(
        label="Reason",
        help_text="Recorded with your name, and sent to the organisation's administrators.",
        max_length=200,
        error_messages={"required": "Enter a reason"},
    )


class StopForm(StopReasonForm):
    """Names the sender to stop, and says why."""

    who = forms.CharField(
        label="Who",
        help_text="The address of a person, mailbox or program, the domain of an "
        "organisation, or the user name of a connection.",
        max_length=254,
        error_messages={"required": "Enter the sender"},
    )
    field_order = ("who", "reason")


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every stop that stands, the newest first."""
    stops = SendingStop.objects.select_related("organisation")
    section = Section(
        text="These senders are asked to try again later, and their waiting mail is held.",
        table=_table(stops, may_lift=_may_lift(request)),
        buttons=[Button("Stop a sender", reverse("console:stop_named"), MANAGE, True)],
    )
    return render_page(request, Page(TITLE, ICON, [section]))


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def stop_named(request: HttpRequest) -> HttpResponse:
    """Stops the sender with an address, a domain or a user name."""
    form = StopForm(post_data(request), initial={"who": request.GET.get("who", "")})

    def run() -> None:
        who, reason = form.cleaned_data["who"].strip(), form.cleaned_data["reason"]
        by = signed_in_person(request)
        if "@" in who:
            sending_stops.stop_address(who, reason=reason, by=by)
        else:
            sending_stops.stop(_named(who), reason=reason, by=by)

    page = Confirmation(
        title="Stop a sender",
        button="Stop sending now",
        done="Sending is stopped. It takes effect within seconds.",
        text=EFFECT,
        is_warning=True,
    )
    return form_page(request, form, run, page, back=_url, icon=ICON, above=ABOVE)


def _named(who: str) -> Stoppable:
    kind, subject_id = senders.named(who) or (None, 0)
    found = senders.find(kind, subject_id) if kind else None
    if not isinstance(found, Person | Connection | Organisation):
        raise PolicyError(f"No sender that can be stopped is called “{who}”.")
    return found


def _url() -> str:
    return reverse("console:stops")


def _find(kind: str, pk: int) -> Stoppable:
    if kind not in KINDS:
        raise Http404
    found = senders.find(KINDS[StopKind(kind)], pk)
    if not isinstance(found, Person | Connection | Organisation):
        raise Http404
    return found


def _describe_stop(sender: Stoppable, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Stop sending by {sender}",
        button="Stop sending now",
        done=f"Sending by {sender} is stopped. It takes effect within seconds.",
        text=EFFECT,
        is_warning=True,
    )


def _describe_lift(stop: SendingStop, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Lift the stop on {stop}",
        button="Lift the stop",
        done=f"{stop} may send again.",
        text="New mail is accepted within seconds, and mail that was held is delivered: "
        "first drop in the queue what must not arrive.",
    )


def _page_of(sender: Stoppable) -> str:
    match sender:
        case Connection():
            return member_url("connection", sender.organisation_id, sender.pk)
        case Person():
            return member_url("person", sender.pk)
    return member_url("organisation", sender.pk)


stop = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_stop, sending_stops.stop, StopReasonForm),
    back=_page_of,
    icon=ICON,
    above=ABOVE,
)
lift = confirmed_view(
    MANAGE,
    lambda pk: get_object_or_404(
        SendingStop.objects.select_related("organisation"), pk=pk
    ),
    ConfirmedAction(_describe_lift, sending_stops.lift, StopReasonForm),
    back=lambda stop: _url(),
    icon=ICON,
    above=ABOVE,
)


def standing(sender: Stoppable | None = None) -> list[SendingStop]:
    """Returns the stops that concern a sender, or all."""
    stops = SendingStop.objects.select_related("organisation")
    return list(stops if sender is None else stops.filter(_concerning(sender)))


def sections(request: HttpRequest, stops: Sequence[SendingStop]) -> list[Section]:
    """One section about the stops, or none where nothing is stopped."""
    if not stops:
        return []
    table = _table(stops, may_lift=_may_lift(request))
    return [Section("Sending is stopped", table=table)]


def _concerning(sender: Stoppable) -> Q:
    if isinstance(sender, Organisation):
        return Q(organisation=sender)
    is_person = isinstance(sender, Person)
    kind = StopKind.PERSON if is_person else StopKind.CONNECTION
    whole = Q(organisation=sender.organisation_id, kind=StopKind.ORGANISATION)
    return Q(kind=kind, subject_id=sender.pk) | whole


def buttons(kind: StopKind, pk: int, stops: Iterable[SendingStop]) -> list[Button]:
    """The button on a sender's page; none where exactly that sender is stopped."""
    if any((stop.kind, stop.subject_id) == (kind, pk) for stop in stops):
        return []
    href = reverse("console:stop", args=[kind.value, pk])
    return [Button("Stop sending now", href, MANAGE, True)]


def _may_lift(request: HttpRequest) -> bool:
    return MANAGE in held_as_staff(request.user)


def _table(stops: Iterable[SendingStop], *, may_lift: bool) -> Table:
    rows = [
        [
            Cell(
                stop.name,
                member_url("organisation", stop.organisation_id),
                note=stop.organisation.name,
                is_alarming=True,
            ),
            Cell(stop.get_kind_display()),
            Cell(at=stop.placed_at),
            Cell(stop.placed_by),
            Cell(stop.reason),
            Cell("Lift", reverse("console:stop_lift", args=[stop.pk]))
            if may_lift
            else Cell(),
        ]
        for stop in stops
    ]
    return Table(HEADINGS, rows, "No sender is stopped.")
