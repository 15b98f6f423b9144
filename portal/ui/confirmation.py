"""The view behind every page that describes an action and asks for confirmation.

GET shows what will happen; POST runs the action, which writes the audit trail, and
reports the outcome. The console and the organisation pages differ only in their frame:
each passes a `render` of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from engine.registry.models import Person
from engine.registry.permissions import REFUSAL
from engine.registry.permissions.view_guards import GuardedView, View
from portal.ui.forms import ActionForm, ConfirmForm, post_data
from portal.ui.visitor import signed_in_person

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The wording of a confirmation page.

    `done` is the message after the action. `state` names the state that the page shows,
    such as "active", for toggles: see `is_outdated`.
    """

    title: str
    button: str
    done: str
    text: str = ""
    caption: str = ""
    is_warning: bool = False
    state: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmedAction(Generic[Row]):
    """An action on one row, with the page that asks before it runs.

    `run` is called as `run(row, **cleaned_data, by=person)`. `show_result` turns what it
    returned into a page, for secrets that are shown once; without it the visitor is
    redirected with the message.
    """

    describe: Callable[[Row, Person], Confirmation]
    run: Callable[..., Any]
    form: type[ActionForm] = ConfirmForm
    initial: Callable[[Row], dict[str, Any]] | None = None
    show_result: Callable[[HttpRequest, Row, Any], HttpResponse] | None = None


class Render(Protocol):
    """Draws a confirmation page in the frame of its room.

    `where` is what the guard hands to its views beside the request: nothing in the
    console, the organisation on its own pages.
    """

    def __call__(
        self,
        request: HttpRequest,
        *where: Any,
        form: ActionForm,
        page: Confirmation,
        back: str,
    ) -> HttpResponse: ...


def is_allowed(row: object, *, by: Person) -> bool:
    """The default of `allows`: the guard and the lookup have decided already."""
    return True


def confirmed_view(
    guard: Callable[[View], GuardedView],
    find: Callable[..., Row],
    action: ConfirmedAction[Row] | Callable[[Row], ConfirmedAction[Row]],
    *,
    back: Callable[[Row, Person], str],
    render: Render,
    allows: Callable[..., bool] = is_allowed,
) -> GuardedView:
    """Builds the guarded view of a confirmed action.

    `find(*where, **url_arguments)` returns the row or raises Http404. Where
    `allows(row, by=person)` is False the visitor gets PermissionDenied. `action` may be
    a function that chooses by the row's state: suspend or resume. `back` is the URL to
    return to, asked after the action, which may have taken the visitor's own access.
    """

    @require_http_methods(["GET", "POST"])
    def view(request: HttpRequest, *where: Any, **keys: Any) -> HttpResponse:
        by = signed_in_person(request)
        row = find(*where, **keys)
        check_allowed(allows, row, by=by)
        chosen = action if isinstance(action, ConfirmedAction) else action(row)
        initial = chosen.initial(row) if chosen.initial else None
        form = chosen.form(post_data(request), initial=initial)
        page = chosen.describe(row, by)
        if is_outdated(request, page.state):
            return redirect(back(row, by))
        results: list[Any] = []

        def run() -> None:
            results.append(chosen.run(row, **form.cleaned_data, by=by))

        if not form.submit(run):
            return render(request, *where, form=form, page=page, back=back(row, by))
        if chosen.show_result is not None:
            return chosen.show_result(request, row, results[0])
        messages.success(request, page.done)
        return redirect(back(row, by))

    return guard(view)


def check_allowed(allows: Callable[..., bool], row: object, *, by: Person) -> None:
    """Raises PermissionDenied unless `allows(row, by=by)`."""
    if not allows(row, by=by):
        raise PermissionDenied(REFUSAL)


def is_outdated(request: HttpRequest, state: str) -> bool:
    """True where a form was submitted from a page that showed another state.

    A double click, or a second administrator, must not toggle the row back. Says so in a
    message.
    """
    if request.method != "POST" or request.POST.get("was", state) == state:
        return False
    messages.info(request, "Nothing was changed: this has been done already.")
    return True
