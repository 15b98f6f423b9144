"""The owner's own answer to a reset of their second factor: signed in, or by a link."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from engine.registry.access import public, signed_in
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding import links
from portal.organisation import actions
from portal.organisation.models import FactorReset


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Say no to a reset of the second factor of the account in use."""
    person = cast(Person, request.user)
    reset = get_object_or_404(FactorReset, pk=pk, person=person)
    return _answer(request, reset, by=person)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The reader of a notice says no. Opening the page changes nothing."""
    try:
        pk = links.factor_reset(token)
    except links.ForgedLinkError as forged:
        raise Http404 from forged
    return _answer(request, get_object_or_404(FactorReset, pk=pk), by=None)


def _answer(
    request: HttpRequest, reset: FactorReset, *, by: Person | None
) -> HttpResponse:
    refusal = ""
    if request.method == "POST" and not (reset.is_refused or reset.disowned_at):
        try:
            # What waited may have been done since: the graver answer has a field of
            # its own, which only the page has that says what it does.
            if "disown" in request.POST:
                actions.disown_factor_reset(reset, by=by)
            else:
                actions.stop_factor_reset(reset, by=by)
        except PolicyError as error:
            refusal = str(error)
        reset.refresh_from_db()
    context = {"reset": reset, "refusal": refusal}
    return render(request, "organisation/own_factor.html", context)
