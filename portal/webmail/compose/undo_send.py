"""Undo send: the banner that offers it, and withdrawing a message before it leaves."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_POST

from engine.database import clock
from engine.linked_files import sending
from engine.queue.withdrawal import withdraw
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from engine.storage.organising import answers
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.compose import reply_drafts, sender_choice
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft import Draft, draft_token
from portal.webmail.linked_files import lines
from portal.webmail.models import ScheduledSend
from portal.webmail.models.scheduled_send import UNDOABLE
from portal.webmail.rendering import parsed_message

# Unix time at which the last message leaves; until then every page queries for it.
LEAVES_AT_KEY = "leaves_at"
MOMENT = "j F Y, H:i"
# Set until a page reports the message as sent: a slow page may load after it left.
UNANNOUNCED_KEY = "leaving_untold"


def announce(request: HttpRequest, scheduled_send: ScheduledSend) -> None:
    """Reports that a message was sent, with an undo while there is time for one."""
    if scheduled_send.is_later:
        moment = date_format(timezone.localtime(scheduled_send.leaves_at), MOMENT)
        messages.success(
            request,
            f"Your message will be sent on {moment}. Until then it is under Scheduled.",
        )
    elif scheduled_send.seconds_left:
        request.session[LEAVES_AT_KEY] = scheduled_send.leaves_at.timestamp()
        request.session[UNANNOUNCED_KEY] = True
    else:
        messages.success(request, "Message sent.")


def pending_sends(request: HttpRequest) -> list[ScheduledSend]:
    """Returns the messages that can still be undone.

    Queries the database only in sessions that sent something moments ago.
    """
    until = request.session.get(LEAVES_AT_KEY, 0)
    if until <= clock.estimated_timestamp() or not isinstance(request.user, Person):
        return []
    rows = ScheduledSend.objects.waiting().filter(person=request.user)
    rows = rows.filter(leaves_at__lte=clock.now() + UNDOABLE)
    scheduled_sends = list(rows.select_related("message")[:5])
    if scheduled_sends:
        request.session.pop(UNANNOUNCED_KEY, None)
    return scheduled_sends


def sent_unannounced(request: HttpRequest) -> bool:
    """True, once, if a message left before any page reported that it was sent."""
    has_left = request.session.get(LEAVES_AT_KEY, 0) <= clock.estimated_timestamp()
    return bool(has_left and request.session.pop(UNANNOUNCED_KEY, False))


@requires_mail
@require_POST
def undo_send(request: HttpRequest, scheduled_send_id: int) -> HttpResponse:
    """Withdraws a message that has not left, and opens it as a draft again."""
    mailboxes = accessible_mailboxes(request)
    own = ScheduledSend.objects.filter(person=mailboxes.person)
    scheduled_send = get_object_or_404(
        own.select_related("message__content", "message__mailbox"), pk=scheduled_send_id
    )
    access = _access(mailboxes, scheduled_send)
    home = mailboxes.drafts_access(access)
    if home is None:
        raise Http404
    try:
        draft = withdraw_message(
            scheduled_send, mailbox=home.mailbox, by=mailboxes.person
        )
    except PolicyError as error:
        messages.warning(request, str(error))
        return redirect("webmail:mailbox", mailbox_id=home.mailbox.pk)
    messages.success(request, "Your message was not sent. It is a draft again.")
    return redirect("webmail:draft", mailbox_id=home.mailbox.pk, token=draft.token)


def _access(
    mailboxes: AccessibleMailboxes, scheduled_send: ScheduledSend
) -> MailboxAccess:
    """Returns the sending mailbox. Raises Http404 if the person may no longer send."""
    for access in mailboxes.sendable:
        if access.mailbox.pk == scheduled_send.message.mailbox_id:
            return access
    raise Http404


def withdraw_message(
    scheduled_send: ScheduledSend, *, mailbox: Mailbox, by: Person
) -> Draft:
    """Withdraws a sent message from the queue and turns it into a draft again.

    Raises PolicyError once the message has left.
    """
    message = scheduled_send.message
    parsed = parsed_message.parse_stored(message)
    token = draft_token(message.message_id)
    if token is None:
        raise PolicyError(
            "This message was not sent from webmail, so sending it cannot be undone."
        )
    sender = sender_choice.written_from(parsed, message.mailbox)
    again = reply_drafts.again(parsed, token, keeps_html=True)
    draft = replace(lines.without_lines(again), sender=sender.key)
    shown = reply_drafts.pictures(parsed, draft.html)
    attached = reply_drafts.forwarded_files(
        parsed, attached=False, with_pictures=not draft.html
    )
    with transaction.atomic():
        withdraw(scheduled_send.reference, by=by)
        answers.take_back(scheduled_send.reference)
        sending.take_back(scheduled_send.reference, mailbox=mailbox)
        message_actions.erase([message.pk])
        attachments.add_all_scanned(attached, shown, mailbox=mailbox, token=token)
        return draft_store.save(draft, mailbox=mailbox, sender=message.mailbox)
