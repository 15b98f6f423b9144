"""Form and confirmation pages in the console's frame; see portal.ui.confirmation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import GuardedView
from portal.console.access import staff
from portal.console.page import Breadcrumbs, render_template
from portal.ui import confirmation
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ActionForm

Row = TypeVar("Row")


def confirmed_view(
    permission: Permission,
    find: Callable[..., Row],
    action: ConfirmedAction[Row] | Callable[[Row], ConfirmedAction[Row]],
    *,
    back: Callable[[Row], str],
    icon: str,
    above: Breadcrumbs = (),
    allows: Callable[..., bool] = confirmation.is_allowed,
) -> GuardedView:
    """Builds the view of a confirmed action, for staff who hold the permission.

    `find(**url_arguments)` returns the row; `back(row)` is the URL to return to. See
    portal.ui.confirmation.confirmed_view.
    """
    return confirmation.confirmed_view(
        staff(permission),
        find,
        action,
        back=lambda row, by: back(row),
        render=partial(render_confirmation, icon=icon, above=above),
        allows=allows,
    )


def form_page(
    request: HttpRequest,
    form: ActionForm,
    action: Callable[[], object],
    page: Confirmation,
    *,
    back: Callable[[], str],
    icon: str,
    above: Breadcrumbs = (),
) -> HttpResponse:
    """Shows a form; when it is submitted, runs the action and redirects to `back()`.

    For pages that add something: no row exists yet, so ConfirmedAction does not fit.
    """
    if form.submit(action):
        messages.success(request, page.done)
        return redirect(back())
    return render_confirmation(
        request, form=form, page=page, back=back(), icon=icon, above=above
    )


def render_confirmation(
    request: HttpRequest,
    *,
    form: ActionForm,
    page: Confirmation,
    back: str,
    icon: str,
    above: Breadcrumbs,
) -> HttpResponse:
    """Draws the page that asks, with a Cancel link to `back`."""
    context = {"form": form, "page": page, "back": back}
    return render_template(request, "confirm", page.title, icon, context, above=above)
