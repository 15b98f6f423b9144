"""Finds by which connection waiting mail came, and who wrote what a list sends on.

The queue does not say. The trace does, which is asked only while an operator's stop on
the organisation makes it matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import QueuedMessage, Source
from engine.registry.models import StopKind
from engine.routing.routes import Routes
from engine.trace.models import Event, EventKind

# Lists within lists that are followed back to the author.
LEVELS = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """The connection that a message came by, and its author where a list sent it on."""

    connection_id: int | None = None
    author: Address | None = None


UNASKED = Origin()


def origins(messages: Collection[QueuedMessage], known: Routes) -> Mapping[int, Origin]:
    """Returns the origin of each message by its id. No query where no stop asks for it."""
    found: defaultdict[int, Origin] = defaultdict(lambda: UNASKED)
    wanted = {one.pk: one.reference for one in messages if _matters(one, known)}
    if wanted:
        for pk, detail in _first_arrivals(wanted).items():
            found[pk] = Origin(detail.get("connection_id"), _author(detail))
    return found


def _matters(message: QueuedMessage, known: Routes) -> bool:
    facts = known.organisations.get(message.organisation_id or 0)
    if facts is None or not facts.stops:
        return False
    by_connection = any(stop.kind == StopKind.CONNECTION for stop in facts.stops)
    return message.source == Source.LIST or (
        by_connection and message.source == Source.RECEIVE
    )


def _first_arrivals(wanted: Mapping[int, str]) -> dict[int, dict[str, Any]]:
    """Follows what lists sent on back to the message that its author sent."""
    details: dict[int, dict[str, Any]] = {}
    at = dict(wanted)
    for _ in range(LEVELS):
        events = Event.objects.filter(
            reference__in=set(at.values()), kind=EventKind.RECEIVED
        )
        by_reference = dict(events.values_list("reference", "detail"))
        for pk, reference in at.items():
            details[pk] = by_reference.get(reference, details.get(pk, {}))
        at = {
            pk: str(details[pk]["expanded_from"])
            for pk in at
            if details[pk].get("expanded_from")
        }
        if not at:
            break
    return details


def _author(detail: Mapping[str, Any]) -> Address | None:
    try:
        return Address.parse(str(detail.get("sender", "")))
    except InvalidAddressError:  # the null sender's, or purged from the trace
        return None
