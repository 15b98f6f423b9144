"""Messages that wait for the time that their author chose."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.database import clock
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.models import ScheduledSend
from portal.webmail.models.scheduled_send import UNDOABLE
from portal.webmail.sidebar import render_with_sidebar

SHOWN = 100


@requires_mail
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lists the person's messages that are to be sent later, the next one first."""
    person = accessible_mailboxes(request).person
    rows = ScheduledSend.objects.filter(
        person=person, leaves_at__gt=clock.now() + UNDOABLE
    )
    waiting = list(rows.select_related("message")[: SHOWN + 1])
    context = {
        "waiting": waiting[:SHOWN],
        "has_more": len(waiting) > SHOWN,
        "place": "scheduled",
    }
    return render_with_sidebar(request, "webmail/compose/scheduled.html", context)
