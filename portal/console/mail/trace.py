"""What happened to messages: all of it, found; and one message as a story."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.queue.delivery import untried_recipients
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from engine.trace import timeline
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Sight
from portal.console import page
from portal.console.access import staff
from portal.console.mail import trace_search
from portal.console.sheet import Cell, Section, Sheet, Table, draw
from portal.ui.filters import FilterForm
from portal.ui.pagination import paged

ICON = "history"
ABOVE = (("console:trace", "Message trace"),)
EVENTS = 1000  # on the page of one message
HEADINGS = ("When", "What happened", "Recipient", "What was said", "Reference")


def _day(label: str) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.DateInput(attrs={"type": "date"}))


class TraceFilter(FilterForm):
    q = forms.CharField(
        label="Address, our reference or Message-ID",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        label="What happened", choices=[("", "Anything"), *EventKind.choices]
    )
    since = _day("First day")
    until = _day("Last day")


@staff(Permission.TRACE_MESSAGES)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What happened, the newest first."""
    search = TraceFilter(request)
    found = paged(request, trace_search.find(search.criteria), descending=True)
    empty = (
        "Nothing was found. A sender is known for a week, and a Message-ID where the "
        "message lies in a mailbox here; a recipient and a reference for good."
        if search.is_search
        else "Nothing has happened yet."
    )
    rows = [_row(event) for event in found.rows]
    sections = [Section(table=Table(HEADINGS, rows, empty))]
    sheet = Sheet("Message trace", ICON, sections, filters=search, links=found.links)
    return draw(request, sheet)


def _row(event: Event) -> list[Cell]:
    told = timeline.step(event, Sight.STAFF)
    return [
        Cell(at=event.at),
        Cell(told.text, is_alarming=told.is_unhappy),
        Cell(event.recipient),
        Cell(told.reply),
        Cell(event.reference, reverse("console:story", args=[event.reference])),
    ]


@staff(Permission.TRACE_MESSAGES)
@require_safe
def show(request: HttpRequest, reference: str) -> HttpResponse:
    """One message: what happened to each recipient, step by step."""
    events = list(Event.objects.filter(reference=reference).order_by("pk")[:EVENTS])
    if not events:
        raise Http404
    events += untried_recipients.events(reference)
    context = {
        "story": timeline.tell(events, Sight.STAFF),
        "reference": reference,
        "is_cut": len(events) >= EVENTS,
        **_sender(events),
    }
    title = f"Message {reference}"
    return page.show(request, "message_trace", title, ICON, context, above=ABOVE)


def _sender(events: list[Event]) -> dict[str, Any]:
    """Who sent it, as far as any event says."""
    said: dict[str, Any] = next(
        (event.detail for event in events if "sender" in event.detail), {}
    )
    owner = said.get("organisation_id")
    organisation = Organisation.objects.filter(pk=owner).first() if owner else None
    return {"sender": said.get("sender", ""), "organisation": organisation}
