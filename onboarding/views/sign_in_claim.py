"""A directory sign-in for whoever has proved to read a member's mailbox."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding import links, sign_ins
from onboarding.forms.first_sign_in import SignInClaimForm
from onboarding.visitor import stranger


@stranger
def claim(request: HttpRequest, token: str) -> HttpResponse:
    try:
        address = links.sign_in_claim(token)
    except links.ForgedLinkError as forged:
        raise Http404 from forged
    except links.ExpiredLinkError:
        return _ended(request)
    if Person.objects.filter(address=address).exists():
        return _ended(request)
    form = SignInClaimForm(request.POST or None, person=Person(address=address))
    if request.method == "POST" and form.is_valid():
        return _claimed(request, address, form)
    context = {"form": form, "address": address}
    return render(request, "onboarding/sign_in_claim.html", context)


def _claimed(request: HttpRequest, address: str, form: SignInClaimForm) -> HttpResponse:
    answers = form.cleaned_data
    try:
        sign_ins.claim(
            address, name=answers["name"], password=answers["password"], by=None
        )
    except PolicyError as refusal:
        messages.error(request, str(refusal))
        return _ended(request)
    messages.success(request, "Your password is set. Sign in with it.")
    return redirect("account_login")


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "onboarding/sign_in_claim_ended.html", status=410)
