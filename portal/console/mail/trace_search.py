"""Finding messages for staff: by address, by our reference or by Message-ID."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import QueuedMessage
from engine.routing import routes
from engine.storage.models import Message
from engine.trace.models import Event, EventKind

CANDIDATES = 500  # messages whose events are shown together


def find(typed: dict[str, str]) -> QuerySet[Event]:
    """Events by `q`, by `kind`, and by day from `since` to `until`."""
    rows = Event.objects.all()
    sought = typed["q"]
    if sought:
        rows = rows.filter(_about(sought))
    if typed["kind"] in EventKind:
        rows = rows.filter(kind=typed["kind"])
    since, until = start_of(typed["since"]), start_of(typed["until"])
    if since:
        rows = rows.filter(at__gte=since)
    if until:
        rows = rows.filter(at__lt=until + timedelta(days=1))
    return rows


def _about(sought: str) -> Q:
    """What was typed says itself what it is."""
    if "@" not in sought:
        return Q(reference=sought.upper())
    key = _key(sought)
    named = _references_of(sought)
    return Q(recipient=key) | Q(reference__in=[*_sent_by(key), *named])


def _sent_by(key: str) -> list[str]:
    """The newest messages of a sender that the queue still knows."""
    try:
        owner = routes.current().organisation_of(Address.parse(key))
    except InvalidAddressError:
        return []
    rows = QueuedMessage.objects.filter(organisation_id=owner, sender__iexact=key)
    return list(rows.order_by("-pk").values_list("reference", flat=True)[:CANDIDATES])


def _references_of(message_id: str) -> list[str]:
    """Messages with this Message-ID that lie in a mailbox here."""
    bare = message_id.strip("<>")
    known = Message.objects.filter(message_id__in=[bare, f"<{bare}>"])
    contents = list(known.values_list("content_id", flat=True)[:CANDIDATES])
    rows = QueuedMessage.objects.filter(content__in=contents)
    return list(rows.values_list("reference", flat=True)[:CANDIDATES])


def _key(text: str) -> str:
    try:
        address = Address.parse(text.strip("<> "))
        return routes.current().domains.to_community(address).key
    except InvalidAddressError:
        return text.casefold()


def start_of(text: str) -> datetime | None:
    """Midnight in the reader's zone; None for what is no day."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
