"""The owner's answer to a reset of their second factor: signed in, or by a link.

The pages are under /account/, and this room owns what they do.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions.view_guards import public, signed_in
from onboarding import signed_links
from portal.account_admin import actions
from portal.account_admin.models import FactorReset
from portal.ui.visitor import signed_in_person


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuses a reset of the signed-in person's own second factor."""
    person = signed_in_person(request)
    reset = get_object_or_404(FactorReset, pk=pk, person=person)
    return _answer(request, reset, by=person)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Refuses a reset through the link in its notification.

    Opening the page changes nothing: mail scanners follow links.
    """
    try:
        pk = signed_links.factor_reset(token)
    except signed_links.ForgedLinkError as forged:
        raise Http404 from forged
    return _answer(request, get_object_or_404(FactorReset, pk=pk), by=None)


def _answer(
    request: HttpRequest, reset: FactorReset, *, by: Person | None
) -> HttpResponse:
    refusal = ""
    if request.method == "POST" and not (reset.is_refused or reset.disowned_at):
        try:
            # The reset may have been agreed to since the page was opened. Locking the
            # account has a field of its own, which only the page that announces it has.
            if "disown" in request.POST:
                actions.disown_factor_reset(reset, by=by)
            else:
                actions.stop_factor_reset(reset, by=by)
        except PolicyError as error:
            refusal = str(error)
        reset.refresh_from_db()
    context = {"reset": reset, "refusal": refusal}
    return render(request, "account_admin/reset_refusal.html", context)


app_name = "own_factor"
urlpatterns = [
    path("<int:pk>/", answer, name="answer"),
    path("link/<str:token>/", by_link, name="by_link"),
]
