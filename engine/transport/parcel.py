"""The interface of every transport, with the parcels it takes and the outcomes it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from engine.encryption.models import COMMUNITY
from engine.mail.address import Address
from engine.mail.smtp_replies import Reply
from engine.routing.routes import ConnectionFacts
from engine.storage.models import Content
from engine.transport.sts_policies import Binding
from engine.transport.tls_attempts import TlsAttempt


class OutcomeState(StrEnum):
    """The result of a delivery attempt for one recipient."""

    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    DEFERRED = "deferred"
    FAILED = "failed"

    @property
    def is_success(self) -> bool:
        """Whether the recipient was served, so that no attempt follows."""
        return self not in (OutcomeState.DEFERRED, OutcomeState.FAILED)


class Cause(StrEnum):
    """What an outcome is based on, which decides when to retry and when to give up."""

    REPLY = "reply"  # the server's reply, or a rule of ours
    UNREACHABLE = "unreachable"  # no conversation took place, or it was cut off
    TLS = "tls"  # no trusted conversation took place


@dataclass(frozen=True, slots=True)
class ParcelRecipient:
    """A recipient of a parcel. `id` is the queue's, and identifies it in the outcome."""

    id: int
    address: Address
    original: str = ""  # ORCPT, RFC 3461 §4.2
    notify: str = ""  # NOTIFY, RFC 3461 §4.1


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, and those of its recipients that share a destination."""

    reference: str
    content: Content
    sender: Address | None
    recipients: tuple[ParcelRecipient, ...]
    destination: str = ""
    envelope_id: str = ""  # ENVID, RFC 3461 §4.4
    wants_full: bool = False  # RET=FULL, RFC 3461 §4.3
    requires_tls: bool = False  # REQUIRETLS, RFC 8689
    is_notice: bool = False  # written by the service itself
    connection: ConnectionFacts | None = None  # if the destination is a connection
    sts: tuple[Binding, ...] = ()  # MTA-STS policies of the connection's domains
    content_holder: int = COMMUNITY


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt for one recipient. `detail` is for the trace.

    `tls` is the attempt to start TLS that this one made, in one outcome of a parcel only,
    so that each is counted once.
    """

    recipient_id: int
    state: OutcomeState
    reply: Reply
    detail: dict[str, Any] = field(default_factory=dict)
    cause: Cause = Cause.REPLY
    tls: TlsAttempt | None = None


class Transport(Protocol):
    """A way of delivering parcels."""

    async def deliver(self, parcel: Parcel) -> list[Outcome]:
        """Returns an outcome for every recipient. Raises no network errors."""

    async def close(self) -> None:
        """Closes its connections."""


def answer(
    parcel: Parcel,
    state: OutcomeState,
    reply: Reply,
    detail: dict[str, Any] | None = None,
    cause: Cause = Cause.REPLY,
) -> list[Outcome]:
    """Returns the same outcome for each recipient of a parcel."""
    return [
        Outcome(recipient.id, state, reply, detail or {}, cause)
        for recipient in parcel.recipients
    ]
