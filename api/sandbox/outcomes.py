"""What happens to a message in the sandbox, by the address that it is sent to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from api.models import SandboxMessage
from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.routing import policies
from engine.routing.routes import Routes
from engine.trace.models import Event, EventKind

# A name that is nowhere (RFC 2606 §2): a live key can reach nobody at it.
DOMAIN = "sandbox.invalid"
BOUNCED = "550 5.1.1 Sandbox: this address bounces"
DEFERRED = "451 4.4.1 Sandbox: this server does not answer at first"
# After which a message that was deferred is delivered.
DELAY = timedelta(minutes=1)


class Outcome(StrEnum):
    """What is pretended for a recipient."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"


MAGIC = {
    "deliver": Outcome.DELIVERED,
    "defer": Outcome.DEFERRED,
    "bounce": Outcome.BOUNCED,
}
REFUSALS = {
    "refuse": smtp_replies.UNKNOWN_RECIPIENT.saying("Sandbox: this address is refused"),
    "virus": smtp_replies.INFECTED.saying("Sandbox: taken for malicious content"),
}


def of_recipient(
    known: Routes, address: Address, *, sender: Address
) -> tuple[str, Outcome]:
    """Returns the address that gets the message, and what is pretended for it.

    Every address but the magic ones is refused as it would be in earnest, and delivered
    to otherwise. Raises PermanentFailure.
    """
    if address.domain.casefold() != DOMAIN:
        route = known.resolve(address)
        policies.check_can_reach(known, route, sender=sender)
        return route.address.key, Outcome.DELIVERED
    name = address.local.casefold().partition("+")[0]
    if name in REFUSALS:
        raise PermanentFailure(REFUSALS[name])
    if name not in MAGIC:
        names = ", ".join([*MAGIC, *REFUSALS])
        raise PermanentFailure(
            smtp_replies.UNKNOWN_RECIPIENT.saying(
                f"The sandbox has no <{address}>; it has {names}"
            )
        )
    return address.key, MAGIC[name]


def real_ones(recipients: Recipients) -> Recipients:
    """Returns the recipients without the magic ones."""

    def real(field: Sequence[NamedAddress]) -> list[NamedAddress]:
        return [one for one in field if one.address.domain.casefold() != DOMAIN]

    return Recipients(real(recipients.to), real(recipients.cc), real(recipients.bcc))


def events(message: SandboxMessage) -> Sequence[Event]:
    """Returns the unsaved events of a message, as its trace shows them."""
    at, reference = message.created_at, message.reference
    received = {"sender": message.sender, "source": "api"}
    found = [
        Event(reference=reference, kind=EventKind.RECEIVED, at=at, detail=received)
    ]
    # By address: PostgreSQL keeps no order in JSON.
    for recipient, outcome in sorted(message.outcomes.items()):
        for kind, after, reply in STEPS[Outcome(outcome)]:
            found.append(
                Event(
                    reference=reference,
                    kind=kind,
                    recipient=recipient,
                    at=at + after,
                    detail={"reply": reply} if reply else {},
                )
            )
    return found


NONE = timedelta()
STEPS = {
    Outcome.DELIVERED: [(EventKind.DELIVERED, NONE, "")],
    Outcome.BOUNCED: [(EventKind.FAILED, NONE, BOUNCED)],
    Outcome.DEFERRED: [
        (EventKind.DEFERRED, NONE, DEFERRED),
        (EventKind.DELIVERED, DELAY, ""),
    ],
}
