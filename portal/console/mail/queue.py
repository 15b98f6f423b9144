"""The mail queue: what waits, what is held, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.queue import operator_actions
from engine.registry.models import Connection
from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import held_as_staff, staff
from portal.console.confirmation import (
    ConfirmForm,
    ReasonForm,
    Words,
    act,
    person_of,
    typed,
)
from portal.console.mail import queue_search
from portal.console.mail.queue_search import Destination
from portal.console.sheet import Cell, Section, Sheet, Table, draw
from portal.console.waiting.forms import QueueFilter
from portal.ui.forms import ActionForm
from portal.ui.pagination import paged

ICON = "list-ul"
ABOVE = (("console:queue", "Mail queue"),)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that an operator does to chosen recipients."""

    label: str
    run: Callable[..., int]
    text: str
    needs_reason: bool = False
    is_grave: bool = False


DEEDS = {
    "hold": Deed(
        "Hold",
        operator_actions.hold,
        "They wait until somebody releases them; their time does not run out.",
        needs_reason=True,
    ),
    "release": Deed(
        "Release",
        operator_actions.release,
        "They are tried at once, with all their time anew.",
    ),
    "retry": Deed("Retry now", operator_actions.retry, "They are tried at once."),
    "drop": Deed(
        "Drop",
        operator_actions.drop,
        "They are never delivered, and each sender is told. This cannot be undone.",
        needs_reason=True,
        is_grave=True,
    ),
}


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Recipients that wait, are held or failed; the oldest first."""
    search = QueueFilter(request)
    found = paged(request, queue_search.find(search.criteria))
    context = {
        "rows": found.rows,
        "links": found.links,
        "filters": search,
        "status": search.criteria["status"],
        "deeds": DEEDS.items() if _may_act(request) else (),
        "most": queue_search.MOST_AT_ONCE,
    }
    return page.show(request, "queue", "Mail queue", ICON, context)


def _may_act(request: HttpRequest) -> bool:
    return Permission.MANAGE_QUEUE in held_as_staff(request.user)


@staff(Permission.VIEW_QUEUE)
@require_safe
def destinations(request: HttpRequest) -> HttpResponse:
    """Where mail waits, the longest wait first, and what that server said."""
    rows = queue_search.by_destination()
    names = queue_search.names_of([row.key for row in rows])
    headings = ("Destination", "Waiting", "Held", "Oldest", "Said last")
    cells = [_destination(row, names) for row in rows]
    table = Table(headings, cells, "Nothing waits anywhere.")
    sheet = Sheet("Mail by destination", ICON, [Section(table=table)], above=ABOVE)
    return draw(request, sheet)


def _destination(place: Destination, names: dict[str, Connection]) -> list[Cell]:
    href = f"{reverse('console:queue')}?destination={place.key}"
    return [
        Cell(str(names.get(place.key, place.key)), href),
        Cell(str(place.queued)),
        Cell(str(place.held), is_alarming=place.held > 0),
        Cell(at=place.oldest),
        Cell(place.said),
    ]


@staff(Permission.MANAGE_QUEUE)
@require_http_methods(["GET", "POST"])
def do(request: HttpRequest) -> HttpResponse:
    """Ask once more, and do it to those who were chosen."""
    deed = DEEDS.get(request.GET.get("deed", ""))
    ids = queue_search.chosen(request)
    if deed is None or not ids:
        messages.error(request, "Tick the recipients that you mean first.")
        return redirect("console:queue")
    form: ActionForm = (ReasonForm if deed.needs_reason else ConfirmForm)(
        typed(request)
    )
    counted: list[int] = []

    def verb() -> None:
        reason = {"reason": form.cleaned_data["reason"]} if deed.needs_reason else {}
        counted.append(deed.run(ids, **reason, by=person_of(request)))

    words = Words(
        title=f"{deed.label}: {len(ids)} recipient{'s' if len(ids) > 1 else ''}",
        button=deed.label,
        done="Done.",
        back=reverse("console:queue"),
        text=deed.text,
        icon=ICON,
        above=ABOVE,
        is_grave=deed.is_grave,
    )
    response = act(request, form, verb, words)
    if counted and counted[0] < len(ids):
        left = len(ids) - counted[0]
        messages.warning(request, f"{left} were left as they are: they had moved on.")
    return response
