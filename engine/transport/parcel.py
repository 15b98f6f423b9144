"""The one interface of every way out, and the values that travel through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from engine.mail.address import Address
from engine.mail.smtp_replies import Reply
from engine.routing.routes import ConnectionFacts
from engine.storage.models import Content


class OutcomeState(StrEnum):
    """What an attempt came to, for one recipient."""

    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    DEFERRED = "deferred"
    FAILED = "failed"

    @property
    def is_success(self) -> bool:
        return self not in (OutcomeState.DEFERRED, OutcomeState.FAILED)


class Cause(StrEnum):
    """Who said so: it decides how long to insist and when to come back."""

    REPLY = "reply"  # the other side's answer, or our own rule
    UNREACHABLE = "unreachable"  # no conversation took place
    TLS = "tls"  # no conversation that can be trusted took place


@dataclass(frozen=True, slots=True)
class ParcelRecipient:
    """A recipient as the queue knows it. `id` comes back in the outcome."""

    id: int
    address: Address
    original: str = ""  # ORCPT, RFC 3461 §4.2
    notify: str = ""  # NOTIFY, RFC 3461 §4.1


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message and those of its recipients who share a destination."""

    reference: str
    content: Content
    sender: Address | None
    recipients: tuple[ParcelRecipient, ...]
    destination: str = ""
    envelope_id: str = ""  # ENVID, RFC 3461 §4.4
    wants_full: bool = False  # RET=FULL, RFC 3461 §4.3
    is_notice: bool = False  # written by the service itself
    connection: ConnectionFacts | None = None  # where the destination is one


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to for one recipient. `detail` is for the trace."""

    recipient_id: int
    state: OutcomeState
    reply: Reply
    detail: dict[str, Any] = field(default_factory=dict)
    cause: Cause = Cause.REPLY


class Transport(Protocol):
    """A way out. It answers for every recipient and raises nothing of the network's."""

    async def deliver(self, parcel: Parcel) -> list[Outcome]: ...

    async def close(self) -> None: ...


def answer(
    parcel: Parcel,
    state: OutcomeState,
    reply: Reply,
    detail: dict[str, Any] | None = None,
    cause: Cause = Cause.REPLY,
) -> list[Outcome]:
    """The same outcome for each recipient of a parcel."""
    return [
        Outcome(recipient.id, state, reply, detail or {}, cause)
        for recipient in parcel.recipients
    ]
