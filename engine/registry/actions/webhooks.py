"""Actions on webhook endpoints."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone

from engine.registry import webhooks
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    Organisation,
    WebhookEndpoint,
    WebhookEvent,
)
from engine.registry.verbs import record_action, verb

# How long the earlier secret goes on signing, so that receivers can change over.
OVERLAP = timedelta(hours=24)
MAX_ENDPOINTS = 20


@verb
def add(
    organisation: Organisation | None,
    *,
    url: str,
    events: Collection[WebhookEvent],
    is_test: bool = False,
    by: Actor | None,
) -> WebhookEndpoint:
    """Adds an endpoint that is sent these events from now on. Raises PolicyError.

    Without an organisation it is sent the community's; with `is_test` what happens in
    the organisation's sandbox, and nothing else.
    """
    _check(url, events)
    others = WebhookEndpoint.objects.filter(organisation=organisation, is_test=is_test)
    if others.count() >= MAX_ENDPOINTS:
        raise PolicyError(
            f"An organisation can have at most {MAX_ENDPOINTS} webhook "
            "endpoints. Remove one first."
        )
    made = WebhookEndpoint.objects.create(
        organisation=organisation,
        url=url,
        events=sorted(set(map(str, events))),
        is_test=is_test,
        sealed_secret=webhooks.new_secret(),
    )
    _record("webhook.added", made, by=by)
    return made


@verb
def edit(
    endpoint: WebhookEndpoint,
    *,
    url: str | None = None,
    events: Collection[WebhookEvent] | None = None,
    is_active: bool | None = None,
    by: Actor | None,
) -> None:
    """Changes an endpoint's URL, events or activity. Raises PolicyError."""
    endpoint.url = endpoint.url if url is None else url
    if events is not None:
        endpoint.events = sorted(set(map(str, events)))
    endpoint.is_active = endpoint.is_active if is_active is None else is_active
    _check(endpoint.url, endpoint.events)
    endpoint.save(update_fields=["url", "events", "is_active"])
    _record("webhook.edited", endpoint, by=by)


@verb
def rotate(endpoint: WebhookEndpoint, *, by: Actor | None) -> None:
    """Gives an endpoint a new signing secret; the earlier one signs too for a day."""
    endpoint.earlier_sealed_secret = endpoint.sealed_secret
    endpoint.sealed_secret = webhooks.new_secret()
    endpoint.earlier_until = timezone.now() + OVERLAP
    endpoint.save(
        update_fields=["sealed_secret", "earlier_sealed_secret", "earlier_until"]
    )
    _record("webhook.rotated", endpoint, by=by)


@verb
def remove(endpoint: WebhookEndpoint, *, by: Actor | None) -> None:
    """Removes an endpoint; deliveries still queued for it are dropped."""
    _record("webhook.removed", endpoint, by=by)
    endpoint.delete()


def _check(url: str, events: Collection[str]) -> None:
    webhooks.check_url(url)
    if not events:
        raise PolicyError("Choose at least one event.")


def _record(event: str, endpoint: WebhookEndpoint, *, by: Actor | None) -> None:
    detail = {"events": endpoint.events, "active": endpoint.is_active}
    record_action(event, endpoint, detail, by=by)
