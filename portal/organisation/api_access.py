"""Other systems: the keys with which they act, and the addresses that are told."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry import webhooks
from engine.registry.actions import api_keys
from engine.registry.actions import webhooks as endpoints
from engine.registry.models import ApiKey, Organisation, WebhookEndpoint
from engine.registry.permissions import REFUSAL, Permission
from engine.registry.permissions.view_guards import GuardedView, View
from engine.registry.scopes import Scope
from portal.account_admin import policies
from portal.organisation.api_forms import EndpointForm, KeyForm
from portal.organisation.frame import show, visitor, within
from portal.ui.forms import ConfirmForm
from portal.ui.pagination import paged

SECTION = "api"
asks_password: Callable[[View], View] = reauthentication_required


def administrators(view: Callable[..., HttpResponseBase]) -> GuardedView:
    """Let the organisation's own administrators in: with a key one reads its mail."""

    @wraps(view)
    def guarded(
        request: HttpRequest, organisation: Organisation, **kwargs: Any
    ) -> HttpResponseBase:
        if not policies.administers(visitor(request), organisation):
            raise PermissionDenied(REFUSAL)
        return view(request, organisation, **kwargs)

    return within(Permission.EDIT_ORGANISATION)(guarded)


@administrators
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    context = {
        "page": paged(request, organisation.api_keys.all(), by="name"),
        "endpoints": organisation.webhook_endpoints.all(),
    }
    return show(request, organisation, "api", SECTION, context)


@administrators
@asks_password
@require_http_methods(["GET", "POST"])
def add_key(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = KeyForm(request.POST or None)
    made: list[tuple[ApiKey, str]] = []

    def verb() -> None:
        made.append(
            api_keys.add(
                organisation,
                name=form.cleaned_data["name"],
                scopes=form.chosen,
                expires_at=form.expires_at,
                by=visitor(request),
            )
        )

    if form.submit(verb):
        key, secret = made[0]
        context = {"key": key, "secret": secret}
        return show(request, organisation, "api_key_made", SECTION, context)
    return show(request, organisation, "api_key_add", SECTION, {"form": form})


@administrators
@require_http_methods(["GET", "POST"])
def revoke_key(
    request: HttpRequest, organisation: Organisation, key_id: int
) -> HttpResponse:
    found = _key(organisation, key_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.submit(lambda: api_keys.revoke(found, by=visitor(request))):
        messages.success(request, f"{found.name} opens nothing any more.")
        return redirect("organisation:api", organisation.pk)
    context = {
        "form": form,
        "caption": found.name,
        "title": "Revoke this key",
        "text": "The system that uses it stops working at once. It may do this: "
        f"{_in_words(found)}.",
        "button": "Revoke",
        "is_warning": True,
    }
    return show(request, organisation, "confirm", SECTION, context)


@administrators
@require_http_methods(["GET", "POST"])
def add_endpoint(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = EndpointForm(request.POST or None)
    made: list[WebhookEndpoint] = []

    def verb() -> None:
        made.append(
            endpoints.add(
                organisation,
                url=form.cleaned_data["url"],
                events=form.chosen,
                by=visitor(request),
            )
        )

    if form.submit(verb, field="url"):
        return _with_secret(request, organisation, made[0])
    return show(request, organisation, "api_endpoint_add", SECTION, {"form": form})


@administrators
@require_http_methods(["GET", "POST"])
def rotate(
    request: HttpRequest, organisation: Organisation, endpoint_id: int
) -> HttpResponse:
    """Sign with a new secret, which is shown once."""
    found = _endpoint(organisation, endpoint_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.submit(lambda: endpoints.rotate(found, by=visitor(request))):
        return _with_secret(request, organisation, found)
    context = {
        "form": form,
        "caption": found.url,
        "title": "Change the secret",
        "text": "For a day, requests are signed with the earlier secret too.",
        "button": "Change the secret",
    }
    return show(request, organisation, "confirm", SECTION, context)


@administrators
@require_http_methods(["GET", "POST"])
def remove_endpoint(
    request: HttpRequest, organisation: Organisation, endpoint_id: int
) -> HttpResponse:
    found = _endpoint(organisation, endpoint_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.submit(lambda: endpoints.remove(found, by=visitor(request))):
        messages.success(request, "The address is told nothing more.")
        return redirect("organisation:api", organisation.pk)
    context = {
        "form": form,
        "caption": found.url,
        "title": "Remove this address",
        "text": "It is told nothing more. What still waits for it is forgotten.",
        "button": "Remove",
        "is_warning": True,
    }
    return show(request, organisation, "confirm", SECTION, context)


def _with_secret(
    request: HttpRequest, organisation: Organisation, endpoint: WebhookEndpoint
) -> HttpResponse:
    secret = webhooks.secret(endpoint.sealed_secret)
    context = {"endpoint": endpoint, "secret": secret}
    return show(request, organisation, "api_endpoint_made", SECTION, context)


def _in_words(key: ApiKey) -> str:
    return ", ".join(Scope(scope).label.lower() for scope in key.scopes)


def _key(organisation: Organisation, key_id: int) -> ApiKey:
    found = organisation.api_keys.filter(pk=key_id, revoked_at=None).first()
    if found is None:
        raise Http404
    return found


def _endpoint(organisation: Organisation, endpoint_id: int) -> WebhookEndpoint:
    found = organisation.webhook_endpoints.filter(pk=endpoint_id).first()
    if found is None:
        raise Http404
    return found
