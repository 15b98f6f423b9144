"""One ticket: its entries, the requester, and the forms that act on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.console.access import held_as_staff, staff
from portal.console.helpdesk.forms import AnswerForm, MergeForm, NoteForm, change_form
from portal.console.helpdesk.requester_panel import deliveries, panel_of
from portal.console.helpdesk.ticket_list import ABOVE, ICON
from portal.console.page import render_template
from portal.helpdesk.actions import canned_replies
from portal.helpdesk.models import Attachment, CannedReply, Entry, Ticket, Viewing
from portal.helpdesk.status import Status
from portal.helpdesk.views.ticket_entries import file_response
from portal.ui.visitor import signed_in_person


@staff(Permission.VIEW_TICKETS)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a ticket."""
    return ticket_page(request, _ticket(pk))


def ticket_page(request: HttpRequest, ticket: Ticket, **forms: Any) -> HttpResponse:
    """Renders the ticket; `forms` are submitted forms that have errors."""
    entries = list(ticket.entries.prefetch_related("attachments", "folded_texts"))
    may_act = Permission.ANSWER_TICKETS in held_as_staff(request.user)
    sent = deliveries(entries)
    context = {
        "ticket": ticket,
        "entries": [(entry, sent.get(entry.pk, "")) for entry in entries],
        "panel": panel_of(ticket),
        "may_act": may_act and ticket.status != Status.CLOSED,
        "others_here": _others_here(request, ticket),
        "colleagues": _colleagues(entries),
    }
    if may_act:
        _record_viewing(request, ticket)
        context |= _forms(request, ticket, entries) | forms
    title = f"{ticket.number} {ticket.subject}"
    return render_template(
        request, "helpdesk/ticket", title, ICON, context, above=ABOVE
    )


def _colleagues(entries: list[Entry]) -> list[str]:
    """Returns the addresses of those who wrote beside the requester, each once."""
    wrote = (one.author_address for one in entries if one.is_from_colleague)
    return list(dict.fromkeys(wrote))


def _forms(
    request: HttpRequest, ticket: Ticket, entries: list[Entry]
) -> dict[str, Any]:
    seen = entries[-1].pk if entries else 0
    return {
        "answer_form": AnswerForm(initial={"seen": seen}),
        "note_form": NoteForm(),
        "change_form": change_form(ticket),
        "merge_form": MergeForm(),
        "canned_replies": CannedReply.objects.all(),
    }


def with_canned(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Renders the ticket with the chosen canned reply added to the typed text."""
    typed = {
        name: request.POST.get(f"answer-{name}", "") for name in ("text", "status")
    }
    said = (
        typed["text"].rstrip(),
        _canned(request, ticket, request.POST.get("canned", "")),
    )
    initial = typed | {
        "seen": request.POST.get("answer-seen"),
        "text": "\n\n".join(filter(None, said)),
    }
    if request.FILES:
        messages.warning(request, "Choose your files again before you send the reply.")
    return ticket_page(request, ticket, answer_form=AnswerForm(initial=initial))


def _canned(request: HttpRequest, ticket: Ticket, chosen: str) -> str:
    if not (chosen.isascii() and chosen.isdigit()):
        return ""
    reply = CannedReply.objects.filter(pk=int(chosen[:12])).first()
    return (
        canned_replies.fill_in(reply, ticket, signed_in_person(request))
        if reply
        else ""
    )


def _others_here(request: HttpRequest, ticket: Ticket) -> list[Viewing]:
    return list(Viewing.objects.others(ticket, signed_in_person(request)))


def _record_viewing(request: HttpRequest, ticket: Ticket) -> None:
    """Lets other agents see that this agent has the ticket open."""
    Viewing.objects.update_or_create(
        ticket=ticket,
        person=signed_in_person(request),
        defaults={"seen_at": timezone.now()},
    )


@staff(Permission.VIEW_TICKETS)
@require_safe
def file(request: HttpRequest, pk: int, file_id: int) -> HttpResponse:
    """Downloads an attachment of the ticket."""
    found = Attachment.objects.filter(entry__ticket=_ticket(pk))
    return file_response(get_object_or_404(found, pk=file_id))


def _ticket(pk: int) -> Ticket:
    rows = Ticket.objects.select_related(
        "owner", "merged_into", "requester__organisation", "requester__mailbox"
    )
    return get_object_or_404(rows, pk=pk)
