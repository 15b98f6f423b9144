"""The page on which the reader of a member's mailbox claims a directory sign-in."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding import signed_links
from onboarding.first_sign_in import directory_sign_ins
from onboarding.forms.first_sign_in import SignInClaimForm
from onboarding.views import signing_in
from onboarding.views.applicant_session import public_page


@public_page
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """Asks for a name and password, and creates the directory sign-in."""
    try:
        address = signed_links.sign_in_claim(token)
    except signed_links.ForgedLinkError as forged:
        raise Http404 from forged
    except signed_links.ExpiredLinkError:
        return _ended(request)
    if Person.objects.filter(address=address).exists():
        return _ended(request)
    form = SignInClaimForm(request.POST or None, person=Person(address=address))
    if request.method == "POST" and form.is_valid():
        return _claimed(request, address, form)
    context = {"form": form, "address": address}
    return render(request, "onboarding/first_sign_in/directory_sign_in.html", context)


def _claimed(request: HttpRequest, address: str, form: SignInClaimForm) -> HttpResponse:
    answers = form.cleaned_data
    try:
        person = directory_sign_ins.claim(
            address, name=answers["name"], password=answers["password"], by=None
        )
    except PolicyError as refusal:
        messages.error(request, str(refusal))
        return _ended(request)
    return signing_in.sign_in(request, person)


def _ended(request: HttpRequest) -> HttpResponse:
    return render(
        request, "onboarding/first_sign_in/directory_link_ended.html", status=410
    )
