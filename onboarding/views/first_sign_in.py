"""An administrator's first sign-in: a one-use link to choose a password."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from engine.registry.errors import PolicyError
from onboarding import links, policies
from onboarding.actions import setting_up
from onboarding.forms.first_sign_in import FirstPasswordForm
from onboarding.visitor import stranger


@stranger
def first_sign_in(request: HttpRequest, token: str) -> HttpResponse:
    try:
        found = links.first_sign_in(token)
    except links.ForgedLinkError as forged:
        raise Http404 from forged
    if not found.is_live:
        return _ended(request, found)
    form = FirstPasswordForm(request.POST or None, person=found.person)
    if request.method == "POST" and form.is_valid():
        setting_up.set_first_password(
            found.person,
            form.cleaned_data["password"],
            sent_at=found.made_at,
            by=found.person,
        )
        messages.success(request, "Your password is set. Sign in with it.")
        return redirect("account_login")
    context = {"form": form, "person": found.person}
    return render(request, "onboarding/first_sign_in.html", context)


def _ended(request: HttpRequest, found: links.FirstSignIn) -> HttpResponse:
    """The link is old or used: say what to do; the button sends another."""
    context = {"can_send": policies.can_set_first_password(found.person)}
    if request.method == "POST":
        try:
            setting_up.send_first_sign_in_again(found.person, by=None)
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        else:
            context["is_sent"] = True
    return render(request, "onboarding/first_sign_in_ended.html", context, status=410)
