"""Actions of an agent on a ticket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.helpdesk.forms import AnswerForm, MergeForm, NoteForm, change_form
from portal.console.helpdesk.ticket import ticket_page, with_canned
from portal.helpdesk import ticket_links
from portal.helpdesk.actions import merge_tickets, tickets
from portal.helpdesk.models import Ticket, Viewing
from portal.helpdesk.status import Category, Priority, Status
from portal.ui.visitor import signed_in_person


def _ticket(pk: int) -> Ticket:
    return get_object_or_404(Ticket.objects.select_related("requester"), pk=pk)


def _run(
    request: HttpRequest,
    ticket: Ticket,
    form: Any,
    name: str,
    act: Callable[[dict[str, Any]], str],
) -> HttpResponse:
    """Runs the form's action, or shows the ticket with the form's errors."""
    if form.is_valid():
        try:
            said = act(form.cleaned_data)
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, said)
            return redirect("desk:ticket", ticket.merged_into_id or ticket.pk)
    return ticket_page(request, ticket, **{name: form})


@staff(Permission.ANSWER_TICKETS)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends a reply, or adds a canned reply to its text."""
    ticket = _ticket(pk)
    if request.POST.get("do") == "canned":
        return with_canned(request, ticket)

    def act(data: dict[str, Any]) -> str:
        tickets.answer(
            ticket,
            data["text"],
            status=data["status"],
            seen=data["seen"],
            attached=data["attachments"],
            by=signed_in_person(request),
        )
        return "Your reply is on its way."

    form = AnswerForm(request.POST, request.FILES, by=signed_in_person(request))
    return _run(request, ticket, form, "answer_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds an internal note."""
    ticket = _ticket(pk)

    def act(data: dict[str, Any]) -> str:
        tickets.note(ticket, data["text"], by=signed_in_person(request))
        return "The note was added. Only staff read it."

    return _run(request, ticket, NoteForm(request.POST), "note_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes status, owner, priority and category in one transaction."""
    ticket = _ticket(pk)

    @transaction.atomic
    def act(data: dict[str, Any]) -> str:
        by = signed_in_person(request)
        priority, category = Priority(data["priority"]), Category(data["category"])
        tickets.classify(ticket, priority=priority, category=category, by=by)
        tickets.assign(ticket, data["owner"], by=by)
        if data["status"] != ticket.status:
            tickets.move(ticket, Status(data["status"]), by=by)
        return f"{ticket.number} was changed."

    form = change_form(ticket, request.POST)
    return _run(request, ticket, form, "change_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Assigns the ticket to the agent."""
    ticket = _ticket(pk)
    try:
        tickets.assign(ticket, signed_in_person(request), by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    return redirect("desk:ticket", pk)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Merges the ticket into another one."""
    ticket = _ticket(pk)

    def act(data: dict[str, Any]) -> str:
        number = ticket_links.ticket_in_subject(data["into"])
        into = Ticket.objects.filter(pk=number).first() if number else None
        if into is None:
            raise PolicyError(
                "No ticket has this number. Enter a number such as PT-000123."
            )
        merge_tickets.merge(ticket, into=into, by=signed_in_person(request))
        ticket.refresh_from_db()
        return f"{ticket.number} was merged into {into.number}."

    return _run(request, ticket, MergeForm(request.POST), "merge_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def writing(request: HttpRequest, pk: int) -> HttpResponse:
    """Records that an agent is typing a reply; called by the page's script."""
    now = timezone.now()
    Viewing.objects.update_or_create(
        ticket=_ticket(pk),
        person=signed_in_person(request),
        defaults={"seen_at": now, "wrote_at": now},
    )
    return HttpResponse(status=204)
