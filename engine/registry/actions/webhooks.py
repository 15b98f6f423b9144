from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone

from engine.audit.record import record
from engine.registry import webhooks
from engine.registry.actor import Actor
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, WebhookEndpoint, WebhookEvent
from engine.registry.verbs import verb

# How long the secret before goes on signing, so that receivers can change over.
OVERLAP = timedelta(hours=24)
MOST_ENDPOINTS = 20


@verb
def add(
    organisation: Organisation | None,
    *,
    url: str,
    events: Collection[WebhookEvent],
    by: Actor | None,
) -> WebhookEndpoint:
    """Tell another system of these events from now on. Raises PolicyError."""
    _check(url, events)
    others = WebhookEndpoint.objects.filter(organisation=organisation)
    if others.count() >= MOST_ENDPOINTS:
        raise PolicyError(f"There may be up to {MOST_ENDPOINTS} endpoints.")
    made = WebhookEndpoint.objects.create(
        organisation=organisation,
        url=url,
        events=sorted(set(map(str, events))),
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
    """Change where it is or what it is told. Raises PolicyError."""
    endpoint.url = endpoint.url if url is None else url
    if events is not None:
        endpoint.events = sorted(set(map(str, events)))
    endpoint.is_active = endpoint.is_active if is_active is None else is_active
    _check(endpoint.url, endpoint.events)
    endpoint.save(update_fields=["url", "events", "is_active"])
    _record("webhook.edited", endpoint, by=by)


@verb
def rotate(endpoint: WebhookEndpoint, *, by: Actor | None) -> None:
    """Sign with a new secret; for a day with the one before too."""
    endpoint.earlier_sealed_secret = endpoint.sealed_secret
    endpoint.sealed_secret = webhooks.new_secret()
    endpoint.earlier_until = timezone.now() + OVERLAP
    endpoint.save(
        update_fields=["sealed_secret", "earlier_sealed_secret", "earlier_until"]
    )
    _record("webhook.rotated", endpoint, by=by)


@verb
def remove(endpoint: WebhookEndpoint, *, by: Actor | None) -> None:
    """Tell it nothing more; what still waits for it is forgotten."""
    _record("webhook.removed", endpoint, by=by)
    endpoint.delete()


def _check(url: str, events: Collection[str]) -> None:
    webhooks.check_url(url)
    if not events:
        raise PolicyError("Choose at least one event.")


def _record(event: str, endpoint: WebhookEndpoint, *, by: Actor | None) -> None:
    detail = {"events": endpoint.events, "active": endpoint.is_active}
    place = endpoint.organisation_id
    record(event, endpoint, organisation_key=place, detail=detail, by=by)
