"""A member's own tickets; anybody else's are 404."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions.view_guards import signed_in
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.forms import AddForm, QuestionForm
from portal.helpdesk.models import Attachment, Ticket
from portal.helpdesk.status import PUBLIC, Source, Status
from portal.helpdesk.views.ticket_entries import entries_of, file_response

PER_PAGE = 25


@signed_in
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lists the newest tickets first; `?before=` is the last id of the previous page."""
    rows = Ticket.objects.of(_me(request)).order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit():
        rows = rows.filter(pk__lt=int(before[:12]))
    found = list(rows[: PER_PAGE + 1])
    context = {
        "tickets": found[:PER_PAGE],
        "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
        "is_first": not before,
    }
    return render(request, "helpdesk/index.html", context)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Opens a ticket for the member who is signed in."""
    form = QuestionForm(request.POST or None, request.FILES or None, by=_me(request))
    if request.method == "POST" and form.is_valid():
        ticket = _opened(form, _me(request))
        messages.success(
            request, f"Your question was sent. Its number is {ticket.number}."
        )
        return redirect("helpdesk:ticket", ticket.pk)
    return render(request, "helpdesk/new.html", {"form": form})


def _opened(form: QuestionForm, person: Person) -> Ticket:
    data = form.cleaned_data
    question = Question(
        subject=data["subject"],
        text=data["text"],
        address=person.address,
        name=person.name,
        person=person,
        phone=person.phone,
        category=data["category"],
        files=data["attachments"],
    )
    return tickets.open_ticket(question, source=Source.FORM, by=person)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows one ticket, and adds to it."""
    shown = _own(request, pk)
    if shown.merged_into_id:
        return redirect("helpdesk:ticket", shown.merged_into_id)
    form = AddForm(request.POST or None, request.FILES or None, by=_me(request))
    if request.method == "POST" and form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        try:
            tickets.add_request(
                shown, data["text"], attached=data["attachments"], by=_me(request)
            )
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your message was added. We will reply.")
            return redirect("helpdesk:ticket", pk)
    context = {
        "ticket": shown,
        "entries": entries_of(shown),
        "form": form,
        "is_closed": shown.status == Status.CLOSED,
        "is_solved": shown.status == Status.SOLVED,
    }
    return render(request, "helpdesk/ticket.html", context)


@signed_in
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Closes the ticket, or reopens a solved one."""
    shown = _own(request, pk)
    reopens = request.POST.get("do") == "reopen"
    try:
        target = Status.OPEN if reopens else Status.CLOSED
        tickets.move(shown, target, by=_me(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    else:
        outcome = "is open again" if reopens else "is closed"
        messages.success(request, f"{shown.number} {outcome}.")
    return redirect("helpdesk:ticket", pk)


@signed_in
@require_safe
def file(request: HttpRequest, pk: int, file_id: int) -> HttpResponse:
    """Downloads an attachment of a public entry."""
    own = Attachment.objects.filter(
        entry__ticket=_own(request, pk), entry__kind__in=PUBLIC
    )
    return file_response(get_object_or_404(own, pk=file_id))


def _own(request: HttpRequest, pk: int) -> Ticket:
    return get_object_or_404(Ticket.objects.of(_me(request)), pk=pk)


def _me(request: HttpRequest) -> Person:
    return cast(Person, request.user)
