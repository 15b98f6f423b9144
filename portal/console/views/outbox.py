from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff
from portal.console.mail import outbox

ICON = "mail"


@staff(Permission.VIEW_OUTBOX)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    _check_is_used()
    return page.show(request, "outbox", "Outbox", ICON, {"notices": outbox.newest()})


@staff(Permission.VIEW_OUTBOX)
@require_GET
def read(request: HttpRequest, name: str) -> HttpResponse:
    _check_is_used()
    try:
        found = outbox.read(name)
    except outbox.NoSuchNoticeError as error:
        raise Http404 from error
    return page.show(
        request,
        "outbox_message",
        found.notice.subject or "Notice",
        ICON,
        {"open": found},
        above=(("console:outbox", "Outbox"),),
    )


def _check_is_used() -> None:
    if not outbox.is_used():
        raise Http404
