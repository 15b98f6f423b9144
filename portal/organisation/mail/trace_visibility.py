"""Visibility of trace events: which facts about a message an organisation may see.

The author's organisation sees the outcome for every recipient, others for their own
recipients. Only the organisation that owns a distribution list sees its members, and only
the organisation that was refused sees the refusal.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import QueuedMessage, Source
from engine.registry.models import Organisation
from engine.routing import routes
from engine.routing.routes import Routes
from engine.trace.models import Event, EventKind


def visible_events(events: Sequence[Event], organisation: Organisation) -> list[Event]:
    """Returns those of one message's events that the organisation may see, in order.

    Empty where the message is neither from the organisation nor to it. The first is the
    acceptance, or else a refusal.
    """
    known = routes.current()
    received = next((e for e in events if e.kind == EventKind.RECEIVED), None)
    if received is None:
        return [event for event in events if was_refused(event, organisation)]
    own = [
        event
        for event in events
        if event.recipient
        and (event.kind != EventKind.REFUSED or was_refused(event, organisation))
        and organisation.pk
        in (
            owner_of_outcomes(received, known, event),
            organisation_of(event.recipient, known),
        )
    ]
    is_sent = owner_of_outcomes(received, known) == organisation.pk
    return [received, *own] if is_sent or own else []


def was_refused(event: Event, organisation: Organisation) -> bool:
    """Returns whether the event is a refusal of the organisation's own message.

    Events of earlier versions have the organisation in their detail only. A claim to be
    the organisation, without proof, may be anyone's.
    """
    if event.refused_for_id is not None:
        return event.refused_for_id == organisation.pk
    return (
        event.kind in (EventKind.REFUSED, EventKind.QUARANTINED)
        and event.detail.get("organisation_id") == organisation.pk
        and not event.detail.get("is_claim")
    )


def owner_of_outcomes(
    received: Event, known: Routes, event: Event | None = None
) -> int | None:
    """Returns the organisation that may see every outcome: the author's, or the list's.

    A list's event may be about a member that the list could not reach.
    """
    of_list = received.detail.get("list") or (event and event.detail.get("list"))
    if of_list:
        return organisation_of(str(of_list), known)
    found: int | None = received.detail.get("organisation_id")
    return found


def can_see_outcome(received: Event, address: str, organisation: Organisation) -> bool:
    """Returns whether the organisation may see what became of one recipient's copy.

    `received` is the event of the message's acceptance.
    """
    known = routes.current()
    owners = owner_of_outcomes(received, known), organisation_of(address, known)
    return organisation.pk in owners


def sending_organisation(message: QueuedMessage, known: Routes) -> int | None:
    """Returns the organisation that sent a message; for a list's copies, the list's."""
    return sender_of(message.source, message.sender, message.organisation_id, known)


def sender_of(
    source: str, sender: str, organisation_id: int | None, known: Routes
) -> int | None:
    """Returns the same by the values of a message's columns."""
    is_list = source == Source.LIST
    return organisation_of(sender, known) if is_list else organisation_id


def is_own(address: str, organisation: Organisation, known: Routes) -> bool:
    """Returns whether the address is in a domain of the organisation."""
    return organisation_of(address, known) == organisation.pk


def organisation_of(address: str, known: Routes) -> int | None:
    """Returns the id of the organisation whose domain the address is in."""
    try:
        return known.organisation_of(Address.parse(address))
    except InvalidAddressError:
        return None
