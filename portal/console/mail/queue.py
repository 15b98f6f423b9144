"""The mail queue: recipients that wait, are held or failed, and what operators do to them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.queue import operator_actions
from engine.registry.models import Connection
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff, staff
from portal.console.confirmation import form_page
from portal.console.mail import queue_search
from portal.console.mail.queue_search import Destination, QueueFilter
from portal.console.page import Cell, Page, Section, Table, render_page, render_template
from portal.ui.confirmation import Confirmation
from portal.ui.forms import ConfirmForm, ReasonForm, post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person

ICON = "list-ul"
ABOVE = (("console:queue", "Mail queue"),)


@dataclass(frozen=True, slots=True)
class BulkAction:
    """An action on the selected recipients; `run` returns how many it changed."""

    label: str
    run: Callable[..., int]
    text: str
    needs_reason: bool = False
    is_warning: bool = False


BULK_ACTIONS = {
    "hold": BulkAction(
        "Hold",
        operator_actions.hold,
        "They stay in the queue until an operator releases them, and do not expire "
        "meanwhile.",
        needs_reason=True,
    ),
    "release": BulkAction(
        "Release",
        operator_actions.release,
        "Delivery is attempted immediately, and the full retry time begins again. What a "
        "withdrawal or a re-scan holds stays held: ask to put that back.",
    ),
    "retry": BulkAction(
        "Retry now", operator_actions.retry, "Delivery is attempted immediately."
    ),
    "drop": BulkAction(
        "Drop",
        operator_actions.drop,
        "They are never delivered, and each sender is notified. This cannot be undone.",
        needs_reason=True,
        is_warning=True,
    ),
}


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Recipients by status, the oldest first."""
    search = QueueFilter(request)
    found = paginate(request, queue_search.find(search.criteria))
    may_act = Permission.MANAGE_QUEUE in held_as_staff(request.user)
    context = {
        "rows": found.rows,
        "links": found.links,
        "filters": search,
        "status": search.criteria["status"],
        "bulk_actions": BULK_ACTIONS.items() if may_act else (),
        "selection_limit": queue_search.SELECTION_LIMIT,
    }
    return render_template(request, "queue", "Mail queue", ICON, context)


@staff(Permission.VIEW_QUEUE)
@require_safe
def destinations(request: HttpRequest) -> HttpResponse:
    """Waiting mail by destination, the longest wait first, with the last reply."""
    rows = queue_search.by_destination()
    names = queue_search.connections_of([row.key for row in rows])
    headings = ("Destination", "Waiting", "Held", "Oldest", "Last reply")
    cells = [_destination(row, names) for row in rows]
    table = Table(headings, cells, "No mail is waiting for any destination.")
    page = Page("Mail by destination", ICON, [Section(table=table)], above=ABOVE)
    return render_page(request, page)


def _destination(row: Destination, names: dict[str, Connection]) -> list[Cell]:
    href = f"{reverse('console:queue')}?destination={row.key}"
    return [
        Cell(str(names.get(row.key, row.key)), href),
        Cell(str(row.queued)),
        Cell(str(row.held), is_alarming=row.held > 0),
        Cell(at=row.oldest),
        Cell(row.last_reply),
    ]


@staff(Permission.MANAGE_QUEUE)
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest) -> HttpResponse:
    """Asks for confirmation, then acts on the selected recipients."""
    action = BULK_ACTIONS.get(request.GET.get("deed", ""))
    ids = queue_search.selected(request)
    if action is None or not ids:
        messages.error(request, "Select the recipients first, then choose an action.")
        return redirect("console:queue")
    form = (ReasonForm if action.needs_reason else ConfirmForm)(post_data(request))
    changed: list[int] = []

    def run() -> None:
        by = signed_in_person(request)
        changed.append(action.run(ids, **form.cleaned_data, by=by))

    plural = "s" if len(ids) > 1 else ""
    page = Confirmation(
        title=f"{action.label}: {len(ids)} recipient{plural}",
        button=action.label,
        done="Done.",
        text=action.text,
        is_warning=action.is_warning,
    )
    response = form_page(
        request,
        form,
        run,
        page,
        back=lambda: reverse("console:queue"),
        icon=ICON,
        above=ABOVE,
    )
    if changed and changed[0] < len(ids):
        _warn(request, action, ids, left=len(ids) - changed[0])
    return response


def _warn(
    request: HttpRequest, action: BulkAction, ids: Collection[int], *, left: int
) -> None:
    """Says which of the selected recipients were not changed, and why."""
    is_release = action is BULK_ACTIONS["release"]
    withdrawn = operator_actions.withdrawn_count(ids) if is_release else 0
    if withdrawn:
        messages.warning(
            request,
            f"Still held because they were withdrawn: {withdrawn}. Ask to put the "
            "withdrawal or the re-scan back.",
        )
    if left > withdrawn:
        messages.warning(
            request,
            f"{left - withdrawn} were not changed: their status had changed meanwhile.",
        )
