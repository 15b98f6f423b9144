"""API keys of the organisation's other systems, and webhook endpoints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from allauth.account.decorators import reauthentication_required
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from engine import calendar_days
from engine.registry import webhooks
from engine.registry.actions import api_keys
from engine.registry.actions import webhooks as endpoints
from engine.registry.models import (
    ApiKey,
    Organisation,
    Person,
    WebhookEndpoint,
    WebhookEvent,
)
from engine.registry.permissions.view_guards import View
from engine.registry.scopes import Scope
from portal.organisation.confirmation import confirmed_view
from portal.organisation.frame import (
    administrator_view,
    organisation_of,
    render_section,
)
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ActionForm, post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person

SECTION = "api"
asks_password: Callable[[View], View] = reauthentication_required


SCOPES = [(s.value, s.label) for s in Scope if not s.is_community_wide]
LIFETIMES = {"90": _("90 days"), "365": _("One year"), "": _("Until you revoke it")}


class KeyForm(ActionForm):
    """A key for another system."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("Which system it is for, such as “Case management”."),
        max_length=100,
    )
    mode = forms.ChoiceField(
        label=_("Kind of key"),
        help_text=_(
            "A message that is sent with a test key goes nowhere. A test key reads no "
            "mailbox and changes nothing."
        ),
        choices=[("live", _("Live")), ("test", _("Test"))],
        initial="live",
        required=False,
        widget=forms.RadioSelect,
    )
    scopes = forms.MultipleChoiceField(
        label=_("What the system may do"),
        help_text=_("Choose only what it needs."),
        choices=SCOPES,
        error_messages={"required": _("Select at least one thing")},
        widget=forms.CheckboxSelectMultiple,
    )
    lifetime = forms.ChoiceField(
        label=_("How long the key works"),
        choices=list(LIFETIMES.items()),
        initial="365",
        required=False,
        widget=forms.RadioSelect,
    )

    @property
    def chosen(self) -> list[Scope]:
        """The selected scopes."""
        return [Scope(value) for value in self.cleaned_data["scopes"]]

    @property
    def expires_at(self) -> datetime | None:
        """When the key expires; None where it works until it is revoked."""
        days = self.cleaned_data["lifetime"]
        return calendar_days.expiry(timezone.now(), int(days)) if days else None


class EndpointForm(ActionForm):
    """A webhook endpoint: the URL that events are sent to."""

    url = forms.CharField(
        label=_("Address"),
        help_text=_("Such as https://cases.example/hook."),
        max_length=500,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}
        ),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=WebhookEvent.choices,
        error_messages={"required": _("Select at least one thing")},
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def chosen(self) -> list[WebhookEvent]:
        """The selected events."""
        return [WebhookEvent(value) for value in self.cleaned_data["events"]]


@administrator_view
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's API keys and webhook endpoints."""
    context = {
        "page": paginate(request, organisation.api_keys.all(), by="name"),
        "endpoints": organisation.webhook_endpoints.all(),
    }
    return render_section(request, organisation, "api", SECTION, context)


@administrator_view
@asks_password
@require_http_methods(["GET", "POST"])
def add_key(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Makes a key; its secret is shown once."""
    form = KeyForm(post_data(request))
    added: list[tuple[ApiKey, str]] = []

    def run() -> None:
        added.append(
            api_keys.add(
                organisation,
                name=form.cleaned_data["name"],
                scopes=form.chosen,
                expires_at=form.expires_at,
                is_test=form.cleaned_data["mode"] == "test",
                by=signed_in_person(request),
            )
        )

    if form.submit(run, field="scopes"):
        key, secret = added[0]
        context = {"key": key, "secret": secret}
        return render_section(request, organisation, "api_key_made", SECTION, context)
    return render_section(request, organisation, "api_key_add", SECTION, {"form": form})


@administrator_view
@require_http_methods(["GET", "POST"])
def add_endpoint(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Adds a webhook endpoint; its secret is shown once."""
    form = EndpointForm(post_data(request))
    added: list[WebhookEndpoint] = []

    def run() -> None:
        added.append(
            endpoints.add(
                organisation,
                url=form.cleaned_data["url"],
                events=form.chosen,
                by=signed_in_person(request),
            )
        )

    if form.submit(run, field="url"):
        return _show_secret(request, added[0], None)
    return render_section(
        request, organisation, "api_endpoint_add", SECTION, {"form": form}
    )


def _show_secret(
    request: HttpRequest, endpoint: WebhookEndpoint, result: object
) -> HttpResponse:
    secret = webhooks.secret(endpoint.sealed_secret)
    context = {"endpoint": endpoint, "secret": secret}
    return render_section(
        request, organisation_of(endpoint), "api_endpoint_made", SECTION, context
    )


def _find_key(organisation: Organisation, key_id: int) -> ApiKey:
    found = organisation.api_keys.filter(pk=key_id, revoked_at=None).first()
    if found is None:
        raise Http404
    return found


def _find_endpoint(organisation: Organisation, endpoint_id: int) -> WebhookEndpoint:
    found = organisation.webhook_endpoints.filter(pk=endpoint_id).first()
    if found is None:
        raise Http404
    return found


def _back(row: ApiKey | WebhookEndpoint, by: Person) -> str:
    return reverse("organisation:api", args=[row.organisation_id])


def _describe_revocation(key: ApiKey, by: Person) -> Confirmation:
    scopes = ", ".join(Scope(scope).label.lower() for scope in key.scopes)
    return Confirmation(
        title="Revoke this key",
        text="The system that uses it stops working immediately. The key's permissions: "
        f"{scopes}.",
        button="Revoke",
        done=f"{key.name} is revoked.",
        caption=key.name,
        is_warning=True,
    )


def _describe_rotation(endpoint: WebhookEndpoint, by: Person) -> Confirmation:
    return Confirmation(
        title="Change the secret",
        text="For a day, requests are signed with the earlier secret too.",
        button="Change the secret",
        done="",
        caption=endpoint.url,
    )


def _describe_removal(endpoint: WebhookEndpoint, by: Person) -> Confirmation:
    return Confirmation(
        title="Remove this address",
        text="It receives no more events. Events that still wait for it are discarded.",
        button="Remove",
        done="The address receives no more events.",
        caption=endpoint.url,
        is_warning=True,
    )


revoke_key = confirmed_view(
    administrator_view,
    SECTION,
    _find_key,
    ConfirmedAction(_describe_revocation, api_keys.revoke),
    back=_back,
)
rotate_secret = confirmed_view(
    administrator_view,
    SECTION,
    _find_endpoint,
    ConfirmedAction(_describe_rotation, endpoints.rotate, show_result=_show_secret),
    back=_back,
)
remove_endpoint = confirmed_view(
    administrator_view,
    SECTION,
    _find_endpoint,
    ConfirmedAction(_describe_removal, endpoints.remove),
    back=_back,
)
