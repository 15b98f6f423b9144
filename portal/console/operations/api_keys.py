"""Keys of the community, for other systems that act across organisations."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from engine.registry.actions import api_keys
from engine.registry.models import ApiKey, Person
from engine.registry.permissions import Permission
from engine.registry.scopes import Scope
from portal.console import page
from portal.console.access import staff

ICON = "key"
TITLE = "API keys"


class KeyForm(forms.Form):
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
    rows = ApiKey.objects.select_related("organisation")
    return page.show(request, "api_keys", TITLE, ICON, page.paged(request, rows))


@staff(Permission.MANAGE_STAFF)
@reauthentication_required
def add(request: HttpRequest) -> HttpResponse:
    """Make a key; its secret is shown on this page and never again."""
    form = KeyForm(request.POST or None)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        said = form.cleaned_data
        key, secret = api_keys.add(
            None,
            name=said["name"],
            scopes=[Scope(value) for value in said["scopes"]],
            expires_at=timezone.now() + timedelta(days=said["days"]),
            by=cast(Person, request.user),
        )
        context = {"key": key, "secret": secret}
    above = (("console:api_keys", TITLE),)
    return page.show(request, "api_key_add", "Make a key", ICON, context, above=above)


@staff(Permission.MANAGE_STAFF)
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    api_keys.revoke(key, by=cast(Person, request.user))
    messages.success(request, f"“{key.name}” opens nothing any more.")
    return redirect("console:api_keys")
