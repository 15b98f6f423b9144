"""Requests a sign-in link to the directory. The answer never discloses an account."""

from __future__ import annotations

from allauth.core import ratelimit
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from engine.registry.permissions.view_guards import public
from onboarding import tasks
from portal.account.address_lookup import address_key
from portal.account.forms import ADDRESS_ATTRS

TOO_MANY = 429


class SignInRequestForm(forms.Form):
    """The address that a sign-in link to the directory is sent to."""

    email = forms.CharField(
        label=_("Work email address"),
        help_text=_(
            "Your own address in your organisation, such as jane@firm.example."
        ),
        max_length=254,
        widget=forms.TextInput(attrs=ADDRESS_ATTRS),
        error_messages={"required": _("Enter your work email address")},
    )

    def clean_email(self) -> str:
        return address_key(self.cleaned_data["email"])


@public
@require_http_methods(["GET", "POST"])
def request_sign_in(request: HttpRequest) -> HttpResponse:
    """Queues a reply to any address, known or not."""
    form = SignInRequestForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "account/request_sign_in.html", {"form": form})
    address = form.cleaned_data["email"]
    if not ratelimit.consume(request, action="request_sign_in", key=address):
        return render(request, "429.html", status=TOO_MANY)
    tasks.start_answer_to_request(address)
    return render(request, "account/request_sign_in_done.html")
