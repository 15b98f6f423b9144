"""The first sign-in: choose a password by a mailed link, or with the code of a letter."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from engine.registry.errors import PolicyError
from onboarding import signed_links
from onboarding.first_sign_in import letter_codes, passwords, policies
from onboarding.forms.first_sign_in import FirstPasswordForm, LetterForm
from onboarding.views import signing_in
from onboarding.views.applicant_session import public_page


@public_page
def first_sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """Sets the first password by a mailed link, or offers another link."""
    try:
        found = signed_links.first_sign_in(token)
    except signed_links.ForgedLinkError as forged:
        raise Http404 from forged
    if not found.is_live:
        return _ended(request, found)
    form = FirstPasswordForm(request.POST or None, person=found.person)
    if request.method == "POST" and form.is_valid():
        passwords.set_first_password(
            found.person,
            form.cleaned_data["password"],
            sent_at=found.made_at,
            by=found.person,
        )
        return signing_in.sign_in(request, found.person)
    context = {"form": form, "person": found.person}
    return render(request, "onboarding/first_sign_in/first_password.html", context)


@public_page
def letter_code(request: HttpRequest) -> HttpResponse:
    """Checks the code of a letter, then redirects to choose a password."""
    form = LetterForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            person = letter_codes.redeem(**form.cleaned_data)
        except PolicyError as refusal:
            form.add_error("code", str(refusal))
        else:
            token = signed_links.first_sign_in_token(person)
            return redirect("onboarding:first_sign_in", token)
    return render(request, "onboarding/first_sign_in/letter_code.html", {"form": form})


def _ended(request: HttpRequest, found: signed_links.FirstSignIn) -> HttpResponse:
    """Shows that the link has ended and what to do; the button sends another."""
    context = {"can_send": policies.can_set_first_password(found.person)}
    if request.method == "POST":
        try:
            passwords.resend_link(found.person, by=None)
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        else:
            context["is_sent"] = True
    return render(
        request, "onboarding/first_sign_in/link_ended.html", context, status=410
    )
