"""Confirmation pages in the organisation's frame; see portal.ui.confirmation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.http import HttpRequest, HttpResponse

from engine.registry.models import Organisation, Person
from engine.registry.permissions.view_guards import GuardedView, View
from portal.organisation.frame import render_section
from portal.ui import confirmation
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ActionForm

Row = TypeVar("Row")


def confirmed_view(
    guard: Callable[[View], GuardedView],
    section: str,
    find: Callable[..., Row],
    action: ConfirmedAction[Row] | Callable[[Row], ConfirmedAction[Row]],
    *,
    back: Callable[[Row, Person], str],
    allows: Callable[..., bool] = confirmation.is_allowed,
) -> GuardedView:
    """Builds the view of a confirmed action in a section of the organisation's pages.

    `find(organisation, **url_arguments)` returns the row or raises Http404. See
    portal.ui.confirmation.confirmed_view.
    """
    return confirmation.confirmed_view(
        guard,
        find,
        action,
        back=back,
        render=partial(_render, section=section),
        allows=allows,
    )


def _render(
    request: HttpRequest,
    organisation: Organisation,
    *,
    form: ActionForm,
    page: Confirmation,
    back: str,
    section: str,
) -> HttpResponse:
    context = {"form": form, "page": page}
    return render_section(request, organisation, "confirm", section, context)
