"""Which events of a message the holder of a mailbox may have certified.

The author of a message sees the outcome for every recipient, a recipient their own alone.
What an organisation may see, `portal.organisation.mail.trace_visibility` decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.certificates.models import Role
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.queue.delivery import untried_recipients
from engine.queue.models import QueuedMessage
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.routing import routes
from engine.routing.routes import Routes
from engine.storage.models import Message
from engine.trace.models import Event, EventKind

EVENTS = 5000  # of one message that are read; a list may have as many members
NOT_CARRIED = (
    "We cannot make a certificate for this message: our records do not show that this "
    "service carried it. That is so for drafts, for messages from before we kept the "
    "reference with each message, and after {days} days, when the records end."
)


@dataclass(frozen=True, slots=True)
class View:
    """A message's events, as far as one reader may see them; the first is RECEIVED.

    `name` is the reader's: an address, or the name of an organisation. `message` is the
    reader's own copy, where there is one.
    """

    reference: str
    role: Role
    name: str
    events: Sequence[Event]
    organisation_id: int | None = None
    message: Message | None = None


def events_of(reference: str) -> list[Event]:
    """Returns all events of a message, in their order."""
    found = list(Event.objects.filter(reference=reference).order_by("pk")[:EVENTS])
    return found + untried_recipients.deferral_events(reference)


def reference_of(message: Message) -> str:
    """Returns the queue's reference of a stored message; empty where it is not known.

    Of a message that was stored before references were, while the queue still has it.
    """
    if message.reference or message.is_draft:
        return message.reference
    queued = QueuedMessage.objects.filter(content=message.content_id)
    return queued.values_list("reference", flat=True).first() or ""


def of_member(message: Message, *, days: int) -> View:
    """Returns what the holder of a mailbox may have certified of a message in it.

    Raises PolicyError where the trace does not show that the mailbox sent or got it;
    `days` is how long the trace is kept.
    """
    mailbox, known = message.mailbox, routes.current()
    reference = reference_of(message)
    events = events_of(reference) if reference else []
    received = next((e for e in events if e.kind == EventKind.RECEIVED), None)
    if received is None:
        raise PolicyError(NOT_CARRIED.format(days=days))
    others = [event for event in events if event.recipient]
    # Not by the address alone, which may have been another's: an author sees blind copies.
    sender = str(received.detail.get("sender", ""))
    if not message.envelope_sender and _is_of(mailbox, sender, known):
        role, seen = Role.AUTHOR, [one for one in others if not _is_of_list(one)]
    else:
        own = [one for one in others if _is_for(mailbox, one, known)]
        role, seen = Role.RECIPIENT, own
        if not own:
            raise PolicyError(NOT_CARRIED.format(days=days))
    return View(
        reference=reference,
        role=role,
        name=mailbox.address,
        events=[received, *seen],
        organisation_id=mailbox.organisation_id,
        message=message,
    )


def _is_of_list(event: Event) -> bool:
    """Whether it is about a member of a list, which an author does not see."""
    return bool(event.detail.get("list"))


def _is_for(mailbox: Mailbox, event: Event, known: Routes) -> bool:
    """Whether the event is about the mailbox as a recipient."""
    stored = event.detail.get("mailbox")
    if stored is not None:
        return bool(stored == mailbox.pk)
    return _is_of(mailbox, event.recipient, known)


def _is_of(mailbox: Mailbox, address: str, known: Routes) -> bool:
    """Whether the address is the mailbox's own, one of its aliases, or `name+detail`."""
    try:
        parsed = Address.parse(address)
        return parsed.key == mailbox.address or (
            known.resolve(parsed).mailbox_id == mailbox.pk
        )
    except (InvalidAddressError, PermanentFailure):
        return False
