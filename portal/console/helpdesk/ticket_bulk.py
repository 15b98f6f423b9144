"""What an agent does with several tickets of the list in one go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.helpdesk.forms import agents
from portal.console.helpdesk.ticket_list import ABOVE, ICON, PER_PAGE
from portal.console.page import render_template
from portal.helpdesk.actions import canned_replies, tickets
from portal.helpdesk.models import CannedReply, Ticket
from portal.helpdesk.status import Status
from portal.ui.visitor import signed_in_person

# Tickets named in what is said of those that were left as they were.
NAMED = 5

Act = Callable[[Ticket], object]


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action on each chosen ticket: its verb in the past, and what it asks first."""

    act: Act
    done: str
    question: str = ""
    text: str = ""


@staff(Permission.ANSWER_TICKETS)
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Assigns, closes or answers the chosen tickets, each by itself.

    What closes or sends asks first. A ticket whose state does not allow it is left as it
    is, and named.
    """
    chosen = _chosen(request)
    try:
        action = _action(request, chosen, by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
        return redirect(_back(request))
    if action.question and "confirmed" not in request.POST:
        return _ask(request, chosen, action)
    _run(request, chosen, action)
    return redirect(_back(request))


def _chosen(request: HttpRequest) -> list[Ticket]:
    numbers = [text for text in request.POST.getlist("ticket") if _is_number(text)]
    ids = [int(text[:12]) for text in numbers[:PER_PAGE]]
    rows = Ticket.objects.filter(pk__in=ids).select_related("requester")
    return list(rows.order_by("-pk"))


def _action(request: HttpRequest, chosen: list[Ticket], *, by: Person) -> Bulk:
    """Returns what the pressed button does. Raises PolicyError with what is missing."""
    if not chosen:
        raise PolicyError("Choose one ticket or more.")
    match request.POST.get("do"):
        case "assign":
            owner = _owner(request.POST.get("owner", ""))
            return Bulk(lambda one: tickets.assign(one, owner, by=by), "assigned")
        case "close":
            return Bulk(
                lambda one: tickets.move(one, Status.CLOSED, by=by),
                "closed",
                question="Close these tickets?",
            )
        case "reply":
            reply = _canned(request.POST.get("canned", ""))
            return Bulk(
                lambda one: _answer(request, one, reply, by=by),
                "answered",
                question=f"Send “{reply.title}” to each requester?",
                text=reply.text,
            )
    raise PolicyError("Choose what to do with the tickets.")


def _owner(chosen: str) -> Person | None:
    if not chosen:
        return None
    found = agents().filter(pk=int(chosen[:12])).first() if _is_number(chosen) else None
    if not isinstance(found, Person):
        raise PolicyError("Choose an agent of the helpdesk, or no one.")
    return found


def _canned(chosen: str) -> CannedReply:
    rows = CannedReply.objects.all()
    found = rows.filter(pk=int(chosen[:12])).first() if _is_number(chosen) else None
    if found is None:
        raise PolicyError("Choose a canned reply.")
    return found


def _answer(
    request: HttpRequest, ticket: Ticket, reply: CannedReply, *, by: Person
) -> None:
    """Sends a canned reply, unless an entry was added since the list was shown."""
    seen = request.POST.get(f"seen-{ticket.pk}", "")
    tickets.answer(
        ticket,
        canned_replies.fill_in(reply, ticket, by),
        status=Status.WAITING_FOR_REQUESTER,
        seen=int(seen[:18]) if _is_number(seen) else 0,
        by=by,
    )


def _ask(request: HttpRequest, chosen: list[Ticket], action: Bulk) -> HttpResponse:
    context = {
        "chosen": chosen,
        "action": action,
        "kept": [
            (name, value)
            for name in request.POST
            if name != "csrfmiddlewaretoken"
            for value in request.POST.getlist(name)
        ],
        "back": _back(request),
    }
    return render_template(
        request, "helpdesk/bulk", action.question, ICON, context, above=ABOVE
    )


def _run(request: HttpRequest, chosen: list[Ticket], action: Bulk) -> None:
    done, left = 0, []
    for ticket in chosen:
        try:
            action.act(ticket)
        except PolicyError as refusal:
            left.append(f"{ticket.number}: {refusal}")
        else:
            done += 1
    if done:
        said = ngettext(
            "%(count)d ticket %(done)s.", "%(count)d tickets %(done)s.", done
        )
        messages.success(request, said % {"count": done, "done": action.done})
    for sentence in left[:NAMED]:
        messages.warning(request, f"Left as it was: {sentence}")
    if len(left) > NAMED:
        messages.warning(request, f"{len(left) - NAMED} more were left as they were.")


def _back(request: HttpRequest) -> str:
    """Returns the list that was acted on, with its search."""
    asked = {name: request.POST.get(name, "") for name in ("view", "q", "before")}
    query = urlencode({name: text for name, text in asked.items() if text})
    return f"{reverse('desk:index')}?{query}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
