"""Those whom an applicant names: the sponsor, and whoever signs for the organisation.

Opening a page changes nothing; its button does. A link ends with the answer given.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from engine.registry.errors import PolicyError
from onboarding import letters, policies
from onboarding.actions import sponsors
from onboarding.actions import terms as signing
from onboarding.forms.application import SignForm, SponsorAnswerForm
from onboarding.models import Link, LinkPurpose, Signature, Sponsorship
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
    asked = _signature(link)
    context: dict[str, Any] = {"signature": asked, "token": token}
    if asked is None or not policies.can_sign(asked):
        return render(request, "onboarding/sign_done.html", context, status=410)
    form = SignForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signing.sign(asked, by=None)
        except PolicyError:
            return render(request, "onboarding/sign_done.html", context, status=410)
        asked.refresh_from_db()
        return render(request, "onboarding/sign_done.html", {**context, "now": True})
    context |= {"form": form, "clauses": clauses(asked.terms.text)}
    return render(request, "onboarding/sign.html", context)


@stranger
def signed_copy(request: HttpRequest, token: str) -> HttpResponse:
    """What was signed, for whoever signed it by this link."""
    link = looked_at(token, LinkPurpose.SIGN)
    if link is None:
        return ended(request, token)
    signature = _signature(link)
    if signature is None or signature.signed_at is None:
        raise Http404
    return terms_pdf(signature)


def terms_pdf(signature: Signature) -> HttpResponse:
    name = f"terms-{signature.application.reference}.pdf"
    return HttpResponse(
        letters.render_terms(signature),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _signature(link: Link) -> Signature | None:
    """What the link asks to sign; None where somebody else is asked now."""
    asked = Signature.objects.select_related("application", "terms")
    return asked.filter(pk=link.about).first()


def _answer(asked: Sponsorship, cleaned: dict[str, str]) -> None:
    if cleaned["answer"] == "confirm":
        sponsors.confirm(asked, by=None)
    else:
        sponsors.decline(asked, reason=cleaned["reason"], by=None)
