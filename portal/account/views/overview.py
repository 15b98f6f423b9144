"""The account's overview, and app passwords."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
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
from engine.registry.models import Mailbox, Person
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import requires, signed_in
from portal.account import actions
from portal.account.forms import AppPasswordForm
from portal.account.second_factor import policies
from portal.emergency_access import policies as emergency_policies
from portal.sessions.models import WebSession


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Shows the state of the account, with links to its settings."""
    person = cast(Person, request.user)
    context = {
        "person": person,
        "address_change": pending_change(person),
        "resets": person.factor_resets.answerable(),
        "has_second_factor": policies.has_second_factor(person),
        "second_factor_due": policies.second_factor_reminder(person),
        "has_mail": bool(_mail_addresses(person)),
        "app_password_count": person.app_passwords.live().count(),
        "has_emergency_access": emergency_policies.visible_to(person).exists(),
        "session_count": WebSession.objects.open_of(person).count(),
    }
    return render(request, "account/home.html", context)


@requires(Permission.USE_MAIL)
@reauthentication_required(app="account")
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
def app_passwords(request: HttpRequest) -> HttpResponse:
    """Lists app passwords and creates one. The secret is only in this response."""
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
    """Revokes one app password, after a confirmation."""
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


def _mail_addresses(person: Person) -> list[str]:
    """Returns the addresses a mail program can use: the own mailbox, then group mailboxes."""
    own = Q(owner=person)
    theirs = Q(grants__person=person, grants__can_read=True)
    mailboxes = Mailbox.objects.filter(own | theirs, is_active=True).distinct()
    in_order = mailboxes.order_by("-kind", "address")  # personal, then group
    return list(in_order.values_list("address", flat=True))
