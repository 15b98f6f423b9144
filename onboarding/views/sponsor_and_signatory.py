"""The pages of the sponsor and the signatory named by an applicant.

Opening a page changes nothing, because mail scanners open links too; its button does. A
link ends once it is answered.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from engine.registry.errors import PolicyError
from onboarding.forms.application import SignForm, SponsorAnswerForm
from onboarding.letters import letters
from onboarding.models import Link, LinkPurpose, Signature, Sponsorship
from onboarding.terms import clauses
from onboarding.vetting import policies, sponsors
from onboarding.vetting import signatures as signing
from onboarding.views.applicant_session import public_page
from onboarding.views.mailed_links import find_link, link_ended


@public_page
def sponsor(request: HttpRequest, token: str) -> HttpResponse:
    """Asks the sponsor to confirm or decline."""
    link = find_link(token, LinkPurpose.SPONSOR)
    if link is None:
        return link_ended(request, token)
    asked = get_object_or_404(
        Sponsorship.objects.select_related("application"), pk=link.about
    )
    context = {"sponsorship": asked, "application": asked.application}
    if not policies.can_sponsor(asked):
        return render(
            request, "onboarding/vouching/sponsor_done.html", context, status=410
        )
    form = SponsorAnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _answer(asked, form.cleaned_data)
        except PolicyError:
            return render(
                request, "onboarding/vouching/sponsor_done.html", context, status=410
            )
        return render(
            request, "onboarding/vouching/sponsor_done.html", {**context, "now": True}
        )
    return render(
        request, "onboarding/vouching/sponsor.html", {**context, "form": form}
    )


@public_page
def sign(request: HttpRequest, token: str) -> HttpResponse:
    """Asks the signatory to read and sign the terms."""
    link = find_link(token, LinkPurpose.SIGN)
    if link is None:
        return link_ended(request, token)
    asked = _signature(link)
    context: dict[str, Any] = {"signature": asked, "token": token}
    if asked is None or not policies.can_sign(asked):
        return render(
            request, "onboarding/vouching/sign_done.html", context, status=410
        )
    form = SignForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signing.sign(asked, by=None)
        except PolicyError:
            return render(
                request, "onboarding/vouching/sign_done.html", context, status=410
            )
        asked.refresh_from_db()
        return render(
            request, "onboarding/vouching/sign_done.html", {**context, "now": True}
        )
    context |= {"form": form, "clauses": clauses(asked.terms.text)}
    return render(request, "onboarding/vouching/sign.html", context)


@public_page
def signed_copy(request: HttpRequest, token: str) -> HttpResponse:
    """Downloads the signed terms, for the signatory who signed by this link."""
    link = find_link(token, LinkPurpose.SIGN)
    if link is None:
        return link_ended(request, token)
    signature = _signature(link)
    if signature is None or signature.signed_at is None:
        raise Http404
    return terms_pdf(signature)


def terms_pdf(signature: Signature) -> HttpResponse:
    """Returns the signed terms as a PDF download."""
    name = f"terms-{signature.application.reference}.pdf"
    return HttpResponse(
        letters.render_terms(signature),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _signature(link: Link) -> Signature | None:
    """Returns the signature that the link asks for, or None if it was replaced."""
    asked = Signature.objects.select_related("application", "terms")
    return asked.filter(pk=link.about).first()


def _answer(asked: Sponsorship, cleaned: dict[str, str]) -> None:
    if cleaned["answer"] == "confirm":
        sponsors.confirm(asked, by=None)
    else:
        sponsors.decline(asked, reason=cleaned["reason"], by=None)
