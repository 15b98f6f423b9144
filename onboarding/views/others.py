"""Those whom an applicant names: the sponsor, and whoever signs for the organisation.

Opening a page changes nothing; its button does. A link ends with the answer given.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from engine.registry.errors import PolicyError
from onboarding import policies
from onboarding.actions import sponsors
from onboarding.actions import terms as signing
from onboarding.forms.application import SignForm, SponsorAnswerForm
from onboarding.models import LinkPurpose, Signature, Sponsorship
from onboarding.terms import clauses
from onboarding.views.links import ended, looked_at
from onboarding.visitor import stranger


@stranger
def sponsor(request: HttpRequest, token: str) -> HttpResponse:
    link = looked_at(token, LinkPurpose.SPONSOR)
    if link is None:
        return ended(request, token)
    asked = get_object_or_404(
        Sponsorship.objects.select_related("application"), pk=link.about
    )
    context = {"sponsorship": asked, "application": asked.application}
    if not policies.can_sponsor(asked):
        return render(request, "onboarding/sponsor_done.html", context, status=410)
    form = SponsorAnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _answer(asked, form.cleaned_data)
        except PolicyError:
            return render(request, "onboarding/sponsor_done.html", context, status=410)
        return render(request, "onboarding/sponsor_done.html", {**context, "now": True})
    return render(request, "onboarding/sponsor.html", {**context, "form": form})


@stranger
def sign(request: HttpRequest, token: str) -> HttpResponse:
    link = looked_at(token, LinkPurpose.SIGN)
    if link is None:
        return ended(request, token)
    asked = get_object_or_404(
        Signature.objects.select_related("application", "terms"), pk=link.about
    )
    context: dict[str, Any] = {"signature": asked, "application": asked.application}
    if not policies.can_sign(asked):
        return render(request, "onboarding/sign_done.html", context, status=410)
    form = SignForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signing.sign(asked, by=None)
        except PolicyError:
            return render(request, "onboarding/sign_done.html", context, status=410)
        return render(request, "onboarding/sign_done.html", {**context, "now": True})
    context |= {"form": form, "clauses": clauses(asked.terms.text)}
    return render(request, "onboarding/sign.html", context)


def _answer(asked: Sponsorship, cleaned: dict[str, str]) -> None:
    if cleaned["answer"] == "confirm":
        sponsors.confirm(asked, by=None)
    else:
        sponsors.decline(asked, reason=cleaned["reason"], by=None)
