"""Pages for visitors who cannot sign in: the form, and the link that we send them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.errors import PolicyError
from engine.registry.permissions.view_guards import public
from portal.helpdesk import rate_limits, ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.forms import AddForm, AskForm
from portal.helpdesk.models import Attachment, Ticket
from portal.helpdesk.status import PUBLIC, Source, Status
from portal.helpdesk.views.ticket_entries import entries_of, file_response

GONE = 410


@public
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Opens a ticket without an account. The answer does not disclose known addresses."""
    if request.user.is_authenticated:
        return redirect("helpdesk:new")
    form = AskForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            _open(form.cleaned_data, peer=request.META.get("REMOTE_ADDR", ""))
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("helpdesk:asked")
    return render(request, "helpdesk/ask.html", {"form": form})


def _open(data: dict[str, Any], *, peer: str) -> None:
    rate_limits.check_can_ask(peer=peer, address=data["address"])
    question = Question(
        subject=data["subject"],
        text=data["text"],
        address=data["address"],
        name=data["name"],
        phone=data["phone"],
        category=data["category"],
        files=data["attachments"],
        is_confirmed=False,
    )
    tickets.open_ticket(question, source=Source.FORM, by=None)


@public
@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    """Confirms that the question was received."""
    return render(request, "helpdesk/question_received.html")


@public
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the ticket of a link, and adds to it.

    A GET changes nothing: mail scanners open links.
    """
    try:
        ticket = _followed(token)
    except ticket_links.ExpiredLinkError as expired:
        return _link_expired(request, expired.ticket)
    form = AddForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            tickets.add_request(
                ticket, data["text"], attached=data["attachments"], by=None
            )
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your message was added. We will reply.")
            return redirect("helpdesk:follow", token)
    context = {
        "ticket": ticket,
        "token": token,
        "entries": entries_of(ticket),
        "form": form,
        "is_closed": ticket.status == Status.CLOSED,
    }
    response = render(request, "helpdesk/follow.html", context)
    # The link is the credential, and other sites must not learn it. "no-referrer" would
    # make browsers send "Origin: null" with the form, which the CSRF check refuses.
    response["Referrer-Policy"] = "same-origin"
    return response


def _link_expired(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Explains that the link has expired, and sends a new one to the known address."""
    context: dict[str, object] = {"days": settings.POSTERN.ticket_link_days}
    if request.method == "POST":
        try:
            tickets.send_link(ticket, by=None)
        except PolicyError as refusal:
            context["problem"] = str(refusal)
        else:
            messages.success(request, gettext("A new link is on its way to you."))
            return redirect(request.path)
    return render(request, "helpdesk/link_expired.html", context, status=GONE)


@public
@require_safe
def followed_file(request: HttpRequest, token: str, file_id: int) -> HttpResponse:
    """Downloads an attachment of the ticket of a link."""
    try:
        ticket = _followed(token)
    except ticket_links.ExpiredLinkError as expired:
        return _link_expired(request, expired.ticket)
    own = Attachment.objects.filter(entry__ticket=ticket, entry__kind__in=PUBLIC)
    return file_response(get_object_or_404(own, pk=file_id))


def _followed(token: str) -> Ticket:
    """Returns the ticket of a link, or the one that it was merged into.

    Raises Http404, or ExpiredLinkError.
    """
    try:
        ticket = ticket_links.followed_ticket(token)
    except ticket_links.ForgedLinkError as error:
        raise Http404 from error
    return ticket.merged_into or ticket
