from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from portal.webmail.access import Desk, Desks, desks_of
from portal.webmail.actions import sending
from portal.webmail.doors import uses_mail
from portal.webmail.models import Departure


@uses_mail
@require_POST
def take_back(request: HttpRequest, departure_id: int) -> HttpResponse:
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
        draft = sending.take_back(departure, mailbox=home.mailbox, by=desks.person)
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
