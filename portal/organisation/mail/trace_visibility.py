"""Which facts of a message an organisation may know.

Its author's organisation knows what became of every recipient, the others of their own.
Whom a distribution list reaches is for the organisation that owns the list.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import QueuedMessage, Source
from engine.registry.models import Organisation
from engine.routing import routes
from engine.routing.routes import Routes
from engine.trace.models import Event, EventKind


def theirs(events: Sequence[Event], organisation: Organisation) -> list[Event]:
    """Of one message's events those that the organisation may know, the first first.

    None where the message is neither from it nor to it.
    """
    known = routes.current()
    received = next((e for e in events if e.kind == EventKind.RECEIVED), None)
    if received is None:
        return []
    own = [
        event
        for event in events
        if event.recipient
        and organisation.pk
        in (teller(received, known, event), owner(event.recipient, known))
    ]
    is_sent = teller(received, known) == organisation.pk
    return [received, *own] if is_sent or own else []


def teller(received: Event, known: Routes, event: Event | None = None) -> int | None:
    """The organisation that may know of every recipient: the author's, or a list's.

    An event may be about a member whom a list could not send on to.
    """
    of_list = received.detail.get("list") or (event and event.detail.get("list"))
    if of_list:
        return owner(str(of_list), known)
    found: int | None = received.detail.get("organisation_id")
    return found


def sender_of(message: QueuedMessage, known: Routes) -> int | None:
    """The organisation that sent a message; of a list's copies, the list's own."""
    if message.source == Source.LIST:
        return owner(message.sender, known)
    return message.organisation_id


def is_own(address: str, organisation: Organisation, known: Routes) -> bool:
    return owner(address, known) == organisation.pk


def owner(address: str, known: Routes) -> int | None:
    """The organisation whose domain the address is in."""
    try:
        return known.organisation_of(Address.parse(address))
    except InvalidAddressError:
        return None
