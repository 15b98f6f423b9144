"""Message trace: all events, searched; and everything that happened to one message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.linked_files.models import LinkedFile
from engine.queue.delivery import untried_recipients
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from engine.trace import timeline
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Visibility
from portal.console.access import held_as_staff, staff
from portal.console.mail import trace_search
from portal.console.page import (
    Button,
    Cell,
    Page,
    Section,
    Table,
    render_page,
    render_template,
)
from portal.ui.filters import FilterForm, date_filter, text_filter
from portal.ui.pagination import paginate

ICON = "history"
TITLE = "Message trace"
ABOVE = (("console:trace", TITLE),)
EVENT_LIMIT = 1000  # on the page of one message
HEADINGS = ("When", "What happened", "Recipient", "Reply", "Reference")


class TraceFilter(FilterForm):
    """Filters events by address or reference, kind and days."""

    q = text_filter("Address, our reference or Message-ID")
    kind = forms.ChoiceField(
        label="What happened", choices=[("", "Anything"), *EventKind.choices]
    )
    since = date_filter("First day")
    until = date_filter("Last day")


@staff(Permission.TRACE_MESSAGES)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Events, the newest first."""
    search = TraceFilter(request)
    found = paginate(request, trace_search.find(search.criteria), descending=True)
    empty = (
        "No event matches. Senders are searchable for a week, and Message-IDs while the "
        "message is in a mailbox here; recipients and references always."
        if search.is_search
        else "No mail has passed through yet."
    )
    rows = [_row(event) for event in found.rows]
    strangers = Button(
        "Refused before sign-in",
        reverse("console:strangers"),
        Permission.TRACE_MESSAGES,
    )
    sections = [Section(table=Table(HEADINGS, rows, empty), buttons=[strangers])]
    page = Page(TITLE, ICON, sections, filters=search, links=found.links)
    return render_page(request, page)


def _row(event: Event) -> list[Cell]:
    step = timeline.step(event, Visibility.STAFF)
    return [
        Cell(at=event.at),
        Cell(step.text, is_alarming=step.is_problem),
        Cell(event.recipient),
        Cell(step.reply),
        Cell(event.reference, reverse("console:story", args=[event.reference])),
    ]


@staff(Permission.TRACE_MESSAGES)
@require_safe
def show(request: HttpRequest, reference: str) -> HttpResponse:
    """One message: what happened to each recipient, step by step."""
    events = list(
        Event.objects.filter(reference=reference).order_by("pk")[:EVENT_LIMIT]
    )
    if not events:
        raise Http404
    events += untried_recipients.deferral_events(reference)
    context = {
        "story": timeline.build_timeline(events, Visibility.STAFF),
        "reference": reference,
        "is_cut": len(events) >= EVENT_LIMIT,
        "shared": LinkedFile.objects.live().filter(reference=reference).count(),
        "may_stop": Permission.MANAGE_QUARANTINE in held_as_staff(request.user),
        **_sender(events),
    }
    title = f"Message {reference}"
    return render_template(request, "message_trace", title, ICON, context, above=ABOVE)


def _sender(events: list[Event]) -> dict[str, Any]:
    """The sender and its organisation, from the first event that names them."""
    detail: dict[str, Any] = next(
        (event.detail for event in events if "sender" in event.detail), {}
    )
    owner = detail.get("organisation_id")
    organisation = Organisation.objects.filter(pk=owner).first() if owner else None
    return {"sender": detail.get("sender", ""), "organisation": organisation}
