"""Makes a delivery certificate for a message that the mailbox sent or received."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from engine.certificates import visibility
from engine.registry.errors import PolicyError
from portal.certificates import making
from portal.ui.visitor import signed_in_person
from portal.webmail.access import accessible_mailboxes, requires_mail


@requires_mail
@require_POST
def make(request: HttpRequest, message_id: int) -> HttpResponse:
    """Makes the certificate and shows its page; says why where it cannot be made."""
    _, message = accessible_mailboxes(request).message(message_id)
    try:
        view = visibility.of_member(message, days=settings.POSTERN.proof_days)
        made = making.make(view, by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
        return redirect("webmail:read", message_id=message.pk)
    return redirect("certificates:show", made.number)
