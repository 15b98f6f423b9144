"""The pages of the second factor that allauth's views do not cover."""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions.view_guards import signed_in
from portal.account.second_factor import policies


class SecondFactor(IndexView):
    """Shows which factors are set up, and whether one is required."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = cast(Person, self.request.user)
        is_needed = policies.needs_second_factor(person)
        return {
            **super().get_context_data(**kwargs),
            "is_needed": is_needed,
            "due": policies.second_factor_reminder(person),
        }


@signed_in
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Removes a passkey, if policies allow it: allauth checks that for apps only."""
    authenticator = get_object_or_404(
        Authenticator, pk=pk, user=request.user, type=Authenticator.Type.WEBAUTHN
    )
    if _must_stay(request, authenticator):
        return redirect("mfa_list_webauthn")
    return cast(HttpResponse, webauthn.remove_webauthn(request, pk=pk))


@signed_in
def remove_app(request: HttpRequest) -> HttpResponse:
    """Removes the app, if policies allow it: allauth would refuse after confirming."""
    app = Authenticator.objects.filter(
        user=request.user, type=Authenticator.Type.TOTP
    ).first()
    if app is not None and _must_stay(request, app):
        return redirect("mfa_index")
    return cast(HttpResponse, totp.deactivate_totp(request))


def _must_stay(request: HttpRequest, authenticator: Authenticator) -> bool:
    """Returns whether the factor must stay, and shows the person why."""
    try:
        policies.check_can_remove_authenticator(authenticator)
    except PolicyError as error:
        messages.warning(request, str(error))
        return True
    return False
