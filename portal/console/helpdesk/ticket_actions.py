"""What an agent does to a ticket."""

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
from portal.console.helpdesk.ticket_list import person_of
from portal.helpdesk import ticket_links
from portal.helpdesk.actions import merge_tickets, tickets
from portal.helpdesk.models import Ticket, Viewing
from portal.helpdesk.status import Category, Priority, Status


def _ticket(pk: int) -> Ticket:
    return get_object_or_404(Ticket.objects.select_related("requester"), pk=pk)


def _done(
    request: HttpRequest,
    ticket: Ticket,
    form: Any,
    name: str,
    act: Callable[[dict[str, Any]], str],
) -> HttpResponse:
    """Do what a form asks for; where it is refused, show it with the reason."""
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
            by=person_of(request),
        )
        return "Your reply is on its way."

    form = AnswerForm(request.POST, request.FILES, by=person_of(request))
    return _done(request, ticket, form, "answer_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    ticket = _ticket(pk)

    def act(data: dict[str, Any]) -> str:
        tickets.note(ticket, data["text"], by=person_of(request))
        return "The note was added. Only staff read it."

    return _done(request, ticket, NoteForm(request.POST), "note_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    ticket = _ticket(pk)

    @transaction.atomic
    def act(data: dict[str, Any]) -> str:
        by = person_of(request)
        priority, category = Priority(data["priority"]), Category(data["category"])
        tickets.classify(ticket, priority=priority, category=category, by=by)
        tickets.assign(ticket, data["owner"], by=by)
        if data["status"] != ticket.status:
            tickets.move(ticket, Status(data["status"]), by=by)
        return f"{ticket.number} was changed."

    form = change_form(ticket, request.POST)
    return _done(request, ticket, form, "change_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a ticket one's own."""
    ticket = _ticket(pk)
    try:
        tickets.assign(ticket, person_of(request), by=person_of(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    return redirect("desk:ticket", pk)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    ticket = _ticket(pk)

    def act(data: dict[str, Any]) -> str:
        number = ticket_links.ticket_in_subject(data["into"])
        into = Ticket.objects.filter(pk=number).first() if number else None
        if into is None:
            raise PolicyError("There is no ticket with this number. Enter PT-000123.")
        merge_tickets.merge(ticket, into=into, by=person_of(request))
        ticket.refresh_from_db()
        return f"{ticket.number} was merged into {into.number}."

    return _done(request, ticket, MergeForm(request.POST), "merge_form", act)


@staff(Permission.ANSWER_TICKETS)
@require_POST
def writing(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that an agent types a reply; the page tells by script, where there is one."""
    now = timezone.now()
    Viewing.objects.update_or_create(
        ticket=_ticket(pk),
        person=person_of(request),
        defaults={"seen_at": now, "wrote_at": now},
    )
    return HttpResponse(status=204)
