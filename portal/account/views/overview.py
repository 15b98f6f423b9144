"""What a person sees and sets of their own way of signing in."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.decorators import reauthentication_required
from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from engine.registry.actions import people
from engine.registry.credentials.account_recovery import pending_change
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import requires, signed_in
from portal.account import actions
from portal.account.forms import AppPasswordForm
from portal.account.second_factor import policies
from portal.sessions.models import WebSession


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    person = cast(Person, request.user)
    context = {
        "person": person,
        "address_change": pending_change(person),
        "resets": person.factor_resets.answerable(),
        "has_second_factor": policies.has_second_factor(person),
        "second_factor_due": policies.second_factor_reminder(person),
        "has_mail": bool(_mail_addresses(person)),
        "app_password_count": person.app_passwords.live().count(),
        "session_count": WebSession.objects.open_of(person).count(),
    }
    return render(request, "account/home.html", context)


@requires(Permission.USE_MAIL)
@reauthentication_required(app="account")
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
def app_passwords(request: HttpRequest) -> HttpResponse:
    """List, and make. A new secret is in this one answer and nowhere else."""
    person = cast(Person, request.user)
    form = AppPasswordForm(request.POST if request.method == "POST" else None)
    made, secret = None, ""
    if form.is_valid():
        made, secret = actions.make_app_password(
            person,
            name=form.cleaned_data["name"],
            expires_at=form.expires_at(),
            by=person,
        )
        form = AppPasswordForm()
    context = {
        "form": form,
        "made": made,
        "secret": secret,
        "app_passwords": person.app_passwords.live(),
        "addresses": _mail_addresses(person),
        "mail": {
            "host": settings.POSTERN.smtp_name,
            "pop3s": settings.POSTERN.pop3s_port,
            "submissions": settings.POSTERN.submissions_port,
        },
    }
    return render(request, "account/app_passwords.html", context)


@requires(Permission.USE_MAIL)
@require_http_methods(["GET", "POST"])
def revoke_app_password(request: HttpRequest, app_password_id: int) -> HttpResponse:
    person = cast(Person, request.user)
    app_password = get_object_or_404(person.app_passwords.live(), pk=app_password_id)
    if request.method == "POST":
        people.revoke_app_password(app_password, by=person)
        messages.success(
            request, gettext("“%s” can no longer sign in.") % app_password.name
        )
        return redirect("account:app_passwords")
    return render(
        request, "account/revoke_app_password.html", {"app_password": app_password}
    )


class SecondFactor(IndexView):
    """What somebody has set up, and whether they need it."""

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
    """allauth asks nobody whether a passkey may go; it does ask for an app."""
    authenticator = get_object_or_404(
        Authenticator, pk=pk, user=request.user, type=Authenticator.Type.WEBAUTHN
    )
    if _must_stay(request, authenticator):
        return redirect("mfa_list_webauthn")
    return cast(HttpResponse, webauthn.remove_webauthn(request, pk=pk))


@signed_in
def remove_app(request: HttpRequest) -> HttpResponse:
    """allauth would ask, and then say no on the page that asks."""
    app = Authenticator.objects.filter(
        user=request.user, type=Authenticator.Type.TOTP
    ).first()
    if app is not None and _must_stay(request, app):
        return redirect("mfa_index")
    return cast(HttpResponse, totp.deactivate_totp(request))


def _must_stay(request: HttpRequest, authenticator: Authenticator) -> bool:
    """Tell the person why it may not go, where that is so."""
    try:
        policies.check_can_remove_authenticator(authenticator)
    except PolicyError as error:
        messages.warning(request, str(error))
        return True
    return False


def _mail_addresses(person: Person) -> list[str]:
    """What a mail program may call the person: their own mailbox, then their teams'."""
    own = Q(owner=person)
    theirs = Q(grants__person=person, grants__can_read=True)
    mailboxes = Mailbox.objects.filter(own | theirs, is_active=True).distinct()
    in_order = mailboxes.order_by("-kind", "address")  # personal, then group
    return list(in_order.values_list("address", flat=True))
