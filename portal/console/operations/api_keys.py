"""The community's API keys, for systems that act in every organisation."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from engine import calendar_days
from engine.registry.actions import api_keys
from engine.registry.models import ApiKey
from engine.registry.permissions import Permission
from engine.registry.scopes import Scope
from portal.console.access import staff
from portal.console.page import numbered_page, render_template
from portal.ui.visitor import signed_in_person

ICON = "key"
TITLE = "API keys"


class KeyForm(forms.Form):
    """A new key of the community."""

    name = forms.CharField(max_length=100, help_text="Which system it is for.")
    scopes = forms.MultipleChoiceField(
        label="What the system may do, in every organisation",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        label="Days that the key works", min_value=1, max_value=730, initial=365
    )


@staff(Permission.MANAGE_STAFF)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All keys, of organisations and of the community."""
    rows = ApiKey.objects.select_related("organisation")
    return render_template(
        request, "api_keys", TITLE, ICON, numbered_page(request, rows)
    )


@staff(Permission.MANAGE_STAFF)
@reauthentication_required
def add(request: HttpRequest) -> HttpResponse:
    """Makes a key; its secret is shown once, on this page."""
    form = KeyForm(request.POST or None)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        data = form.cleaned_data
        key, secret = api_keys.add(
            None,
            name=data["name"],
            scopes=[Scope(value) for value in data["scopes"]],
            expires_at=calendar_days.later(timezone.now(), days=data["days"]),
            by=signed_in_person(request),
        )
        context = {"key": key, "secret": secret}
    above = (("console:api_keys", TITLE),)
    return render_template(
        request, "api_key_add", "Make a key", ICON, context, above=above
    )


@staff(Permission.MANAGE_STAFF)
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revokes a key."""
    key = get_object_or_404(ApiKey, pk=pk)
    api_keys.revoke(key, by=signed_in_person(request))
    messages.success(request, f"“{key.name}” is revoked.")
    return redirect("console:api_keys")
