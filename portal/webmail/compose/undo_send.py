"""Telling somebody that their message leaves in a moment, on whichever page they are."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from engine import clock
from engine.queue.withdrawal import withdraw
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from portal.webmail.access import Desk, Desks, desks_of, uses_mail
from portal.webmail.compose import reply_drafts
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.attachments import Upload
from portal.webmail.drafts.draft import Draft, token_of
from portal.webmail.models import Departure
from portal.webmail.rendering import parsed_message

# When the last message leaves, as seconds since 1970: until then pages look for it.
KEY = "leaves_at"
# Whether no page has said yet that it is sent: a slow one may come when it has left.
UNTOLD = "leaving_untold"


def tell(request: HttpRequest, departure: Departure) -> None:
    """Say that the message is sent, with the way to take it back while there is one."""
    if departure.seconds_left:
        request.session[KEY] = departure.leaves_at.timestamp()
        request.session[UNTOLD] = True
    else:
        messages.success(request, "Message sent.")


def waiting(request: HttpRequest) -> list[Departure]:
    """What the person may still take back. Asks only where something was sent just now."""
    until = request.session.get(KEY, 0)
    if until <= clock.held() or not isinstance(request.user, Person):
        return []
    rows = Departure.objects.waiting().filter(person=request.user)
    departures = list(rows.select_related("message")[:5])
    if departures:
        request.session.pop(UNTOLD, None)
    return departures


def left_untold(request: HttpRequest) -> bool:
    """Whether something has left before any page said that it was sent. True once."""
    has_left = request.session.get(KEY, 0) <= clock.held()
    return bool(has_left and request.session.pop(UNTOLD, False))


@uses_mail
@require_POST
def undo_send(request: HttpRequest, departure_id: int) -> HttpResponse:
    """Undo: the message is a draft again, and its page opens."""
    desks = desks_of(request)
    own = Departure.objects.filter(person=desks.person)
    departure = get_object_or_404(
        own.select_related("message__content", "message__mailbox"), pk=departure_id
    )
    desk = _desk(desks, departure)
    home = desks.drafts_at(desk)
    if home is None:
        raise Http404
    try:
        draft = withdraw_message(departure, mailbox=home.mailbox, by=desks.person)
    except PolicyError as error:
        messages.warning(request, str(error))
        return redirect("webmail:mailbox", mailbox_id=home.mailbox.pk)
    messages.success(request, "Your message was not sent. It is a draft again.")
    return redirect("webmail:draft", mailbox_id=home.mailbox.pk, token=draft.token)


def _desk(desks: Desks, departure: Departure) -> Desk:
    """Where it was sent from. Raises Http404 where the person may not send there now."""
    for desk in desks.sendable:
        if desk.mailbox.pk == departure.message.mailbox_id:
            return desk
    raise Http404


def withdraw_message(departure: Departure, *, mailbox: Mailbox, by: Person) -> Draft:
    """Undo the sending: the message is a draft in the mailbox again.

    Raises PolicyError once it has left.
    """
    message = departure.message
    opened = parsed_message.read(message)
    token = token_of(message.message_id)
    if token is None:
        raise PolicyError("This message was not written here, so it stays in Sent.")
    draft = replace(reply_drafts.again(opened, token), sender=str(message.mailbox_id))
    attached = reply_drafts.files_along(opened, attached=False)
    with transaction.atomic():
        withdraw(departure.reference, by=by)
        message_actions.erase([message.pk])
        for one in attached:
            upload = Upload(one.name, one.content_type, [one.data])
            attachments.keep(upload, mailbox=mailbox, token=token)
        return draft_store.save(draft, mailbox=mailbox, sender=message.mailbox)
