"""Recalls a sent message, and shows readers what was withdrawn from their mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from engine.queue import recall
from engine.queue.delivery_status import one_message
from engine.storage.models import WithdrawnCopy
from portal.emergency_access import readings
from portal.ui.forms import ActionForm, post_data
from portal.webmail.access import (
    AccessibleMailboxes,
    accessible_mailboxes,
    readable_mailboxes,
    reads_mail,
    requires_mail,
)
from portal.webmail.rendering import parsed_message, plain_text
from portal.webmail.rendering.message_page import FileList, address_fields
from portal.webmail.sidebar import ANNOUNCED, FolderLine, sidebar

PER_PAGE = 50


class RecallForm(ActionForm):
    """Asks why, for the recipients."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The recipients read it, with the message’s sender and the time."),
        max_length=recall.MAX_REASON,
        required=False,
    )


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the Inbox says of messages that were withdrawn lately."""

    newest: WithdrawnCopy
    is_only: bool


def announcement(line: FolderLine) -> Announcement | None:
    """Returns what a folder's page says of messages that were withdrawn: in the Inbox
    alone, and for a time. A query only where there is something to say."""
    if not line.has_withdrawn:
        return None
    rows = WithdrawnCopy.objects.filter(
        mailbox=line.folder.mailbox_id, withdrawn_at__gte=timezone.now() - ANNOUNCED
    )
    newest = list(rows.order_by("-withdrawn_at")[:2])
    return Announcement(newest[0], len(newest) == 1) if newest else None


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def recall_page(request: HttpRequest, message_id: int) -> HttpResponse:
    """Asks whether to recall a sent message, recalls it, and leads to what came of it."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    if not access.can_send:
        raise PermissionDenied("You may read this mailbox, but not send from it.")
    delivery = one_message.of_sent_copy(message)
    if delivery is None:
        raise Http404
    form = RecallForm(post_data(request))

    def run() -> None:
        reason = form.cleaned_data["reason"]
        recall.recall(message, reason=reason, by=mailboxes.person)

    if form.submit(run):
        messages.success(
            request,
            "We recalled the message wherever it still could be. What became of each "
            "copy is below.",
        )
        return redirect("webmail:delivery", message_id=message.pk)
    context = {
        "sidebar": sidebar(mailboxes, access),
        "folder": message.folder,
        "message": message,
        "delivery": delivery,
        "form": form,
    }
    return render(request, "webmail/mailbox/recall.html", context)


def explain_absence(
    request: HttpRequest, mailboxes: AccessibleMailboxes, message_id: int
) -> HttpResponse:
    """Leads from the page of a message that was withdrawn to who did it, and why.

    Raises Http404 for any other message.
    """
    own = [access.mailbox for access in mailboxes.readable]
    copy = WithdrawnCopy.objects.filter(pk=message_id, mailbox__in=own).first()
    if copy is None:
        raise Http404
    messages.warning(request, "This message was withdrawn from the mailbox.")
    return redirect("webmail:withdrawn", mailbox_id=copy.mailbox_id)


@reads_mail
@require_safe
def withdrawn(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Lists what was withdrawn from a mailbox: from which sender, by whose act, when and
    why. Neither subjects nor texts."""
    mailboxes = readable_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    readings.folder(access.emergency, "Withdrawn messages", by=mailboxes.person)
    rows = WithdrawnCopy.objects.filter(mailbox=access.mailbox)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"sidebar": sidebar(mailboxes, access), "access": access, "page": page}
    return render(request, "webmail/mailbox/withdrawn.html", context)


@reads_mail
@require_safe
def withdrawn_message(request: HttpRequest, copy_id: int) -> HttpResponse:
    """Shows the text of a withdrawn message under emergency access, without its files.

    It may have been withdrawn because of them.
    """
    mailboxes = readable_mailboxes(request)
    access, copy = mailboxes.withdrawn(copy_id)
    readings.message(access.emergency, copy, by=mailboxes.person)
    parsed = parsed_message.parse_withdrawn(copy)
    context = {
        "sidebar": sidebar(mailboxes, access),
        "access": access,
        "one": copy,
        "address_fields": address_fields(parsed),
        "files": FileList.of(parsed.all_files),
        **plain_text.page(parsed.whole_text(), request.GET.get("from", "")),
    }
    return render(request, "webmail/mailbox/withdrawn_message.html", context)
