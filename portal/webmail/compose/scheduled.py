"""Messages that wait for the time that their author chose."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.models import ScheduledSend
from portal.webmail.sidebar import render_with_sidebar

SHOWN = 100


@requires_mail
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lists the person's messages that are to be sent later, the next one first."""
    mailboxes = accessible_mailboxes(request)
    # Without those that they could not take back any more.
    allowed = [access.mailbox.pk for access in mailboxes.sendable]
    rows = ScheduledSend.objects.later().filter(
        person=mailboxes.person, message__mailbox__in=allowed
    )
    waiting = list(rows.select_related("message")[: SHOWN + 1])
    context = {
        "waiting": waiting[:SHOWN],
        "has_more": len(waiting) > SHOWN,
        "place": "scheduled",
    }
    return render_with_sidebar(request, "webmail/compose/scheduled.html", context)
