"""A phone call: finding the caller, and opening a ticket for the question."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.helpdesk.forms import CallForm
from portal.console.helpdesk.ticket_list import ABOVE
from portal.console.page import render_template
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Category, Priority, Source
from portal.ui.visitor import signed_in_person

CALLERS_SHOWN = 20


@staff(Permission.ANSWER_TICKETS)
def new(request: HttpRequest) -> HttpResponse:
    """Shows the caller search and the form of the ticket."""
    form = CallForm(request.POST or None, initial=_caller(request))
    if request.method == "POST" and form.is_valid():
        try:
            ticket = _opened(form.cleaned_data, signed_in_person(request))
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The ticket has the number {ticket.number}.")
            return redirect("desk:ticket", ticket.pk)
    sought = request.GET.get("q", "").strip()
    context = {
        "form": form,
        "sought": sought,
        "found": _found(sought) if sought else None,
    }
    return render_template(
        request, "helpdesk/phone_call", "A call", "mobile-alt", context, above=ABOVE
    )


def _opened(data: dict[str, Any], agent: Person) -> Ticket:
    person = Person.objects.filter(address=data["address"]).first()
    question = Question(
        subject=data["subject"],
        text=data["text"],
        address=data["address"],
        name=data["name"],
        person=person,
        phone=data["phone"],
        category=Category(data["category"]),
        priority=Priority(data["priority"]),
    )
    return tickets.open_ticket(question, source=Source.CALL, by=agent)


def _caller(request: HttpRequest) -> dict[str, str]:
    chosen = request.GET.get("person", "")
    if not (chosen.isascii() and chosen.isdigit()):
        return {}
    person = Person.objects.filter(pk=int(chosen[:12])).first()
    if person is None:
        return {}
    return {"address": person.address, "name": person.name, "phone": person.phone}


def _found(sought: str) -> QuerySet[Person]:
    rows = Person.objects.filter(Person.found_by(sought))
    return rows.select_related("organisation")[:CALLERS_SHOWN]
