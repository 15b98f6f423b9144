"""Trace events for staff: searched by address, by our reference or by Message-ID."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import QueuedMessage
from engine.routing import routes
from engine.storage.models import Message
from engine.trace.models import Event, EventKind
from portal.ui.date_formats import end_of_day, start_of_day

CANDIDATES = 500  # messages whose events one search covers


def find(criteria: dict[str, str]) -> QuerySet[Event]:
    """Filters events by `q`, by `kind`, and by day from `since` to `until`."""
    rows = Event.objects.all()
    if criteria["q"]:
        rows = rows.filter(_about(criteria["q"]))
    if criteria["kind"] in EventKind:
        rows = rows.filter(kind=criteria["kind"])
    since, until = start_of_day(criteria["since"]), end_of_day(criteria["until"])
    if since:
        rows = rows.filter(at__gte=since)
    if until:
        rows = rows.filter(at__lt=until)
    return rows


def _about(text: str) -> Q:
    """Matches a reference, or an address or Message-ID where the text has an @."""
    if "@" not in text:
        return Q(reference=text.upper())
    key = _address_key(text)
    by_message_id = _references_with_message_id(text)
    return Q(recipient=key) | Q(reference__in=[*_references_from(key), *by_message_id])


def _references_from(key: str) -> list[str]:
    """The newest messages of a sender that the queue still holds."""
    try:
        owner = routes.current().organisation_of(Address.parse(key))
    except InvalidAddressError:
        return []
    rows = QueuedMessage.objects.filter(organisation_id=owner, sender__iexact=key)
    return list(rows.order_by("-pk").values_list("reference", flat=True)[:CANDIDATES])


def _references_with_message_id(message_id: str) -> list[str]:
    """Messages in mailboxes here that have this Message-ID."""
    bare = message_id.strip("<>")
    known = Message.objects.filter(message_id__in=[bare, f"<{bare}>"])
    contents = list(known.values_list("content_id", flat=True)[:CANDIDATES])
    rows = QueuedMessage.objects.filter(content__in=contents)
    return list(rows.values_list("reference", flat=True)[:CANDIDATES])


def _address_key(text: str) -> str:
    try:
        address = Address.parse(text.strip("<> "))
        return routes.current().domains.to_community(address).key
    except InvalidAddressError:
        return text.casefold()
