"""How one message is said to one next hop: parameters, limits, and the bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from engine.mail.address import Address
from engine.mail.reply import TOO_BIG, Reply
from engine.storage.content import open_body
from engine.storage.models import Content
from engine.transport.base import (
    Outcome,
    OutcomeState,
    Parcel,
    ParcelRecipient,
    answer,
)
from engine.transport.breakdown import ConversationError
from engine.transport.data import on_the_wire
from engine.transport.hop import Command
from engine.transport.session import Session

CHUNK_OCTETS = 128 * 1024

NOT_INTERNATIONAL = Reply(553, "5.6.7", "The next hop takes no addresses beyond ASCII")
NOT_EIGHT_BIT = Reply(554, "5.6.3", "The next hop takes no 8-bit content")

_SAYABLE = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Transmission:
    """A parcel in the form that its next hop gets: header and addresses as they go."""

    parcel: Parcel
    header: bytes
    addresses: tuple[Address, ...]  # beside the parcel's recipients

    async def send_over(self, session: Session) -> list[Outcome]:
        """Send it. What goes wrong on the way becomes the outcome, not an exception.

        A ConversationError is raised, for the session is then of no use.
        """
        refusal = await self._refusal(session)
        if refusal is not None:
            return answer(self.parcel, OutcomeState.FAILED, refusal, session.detail)
        passes_dsn = session.supports("dsn")
        replies = await session.send(
            self._sender(session),
            [
                Command(str(address), _recipient_parameters(recipient, passes_dsn))
                for recipient, address in zip(
                    self.parcel.recipients, self.addresses, strict=True
                )
            ],
            _wire(self.header, self.parcel.content),
        )
        detail = session.detail | {"passes_dsn": passes_dsn}
        return [
            Outcome(recipient.id, _state(reply), reply, detail)
            for recipient, reply in zip(self.parcel.recipients, replies, strict=True)
        ]

    @property
    def size(self) -> int:
        content = self.parcel.content
        return content.size - len(bytes(content.header)) + len(self.header)

    @property
    def is_international(self) -> bool:
        """True when an address needs SMTPUTF8 (RFC 6531 §3.1)."""
        spoken = [*self.addresses, *filter(None, [self.parcel.sender])]
        return not all(str(address).isascii() for address in spoken)

    async def _refusal(self, session: Session) -> Reply | None:
        if 0 < session.size_limit < self.size:
            return TOO_BIG.saying(
                f"The next hop takes {session.size_limit} octets, this is {self.size}"
            )
        if self.is_international and not session.supports("smtputf8"):
            return NOT_INTERNATIONAL
        # RFC 6152 §3: convert or return. The body is never touched, so return.
        if session.supports("8bitmime") or await asyncio.to_thread(
            _is_seven_bit, self.parcel.content
        ):
            return None
        return NOT_EIGHT_BIT

    def _sender(self, session: Session) -> Command:
        parameters = []
        if session.supports("size"):
            parameters.append(f"SIZE={self.size}")
        if session.supports("8bitmime"):
            parameters.append("BODY=8BITMIME")
        if self.is_international:
            parameters.append("SMTPUTF8")
        if session.supports("dsn"):
            parameters.append("RET=FULL" if self.parcel.wants_full else "RET=HDRS")
            parameters += _parameter("ENVID", self.parcel.envelope_id)
        return Command(str(self.parcel.sender or ""), tuple(parameters))


def broken(parcel: Parcel, hop: object, error: ConversationError) -> list[Outcome]:
    """The outcome when no conversation took place, or it broke off."""
    return answer(
        parcel,
        OutcomeState.DEFERRED,
        error.reply,
        {"next_hop": str(hop)},
        error.cause,
    )


def _state(reply: Reply) -> OutcomeState:
    if reply.is_positive:
        return OutcomeState.RELAYED
    return OutcomeState.FAILED if reply.is_permanent else OutcomeState.DEFERRED


def _recipient_parameters(
    recipient: ParcelRecipient, passes_dsn: bool
) -> tuple[str, ...]:
    if not passes_dsn:
        return ()
    notify = _parameter("NOTIFY", recipient.notify)
    return (*notify, *_parameter("ORCPT", recipient.original))


def _parameter(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value and _SAYABLE.fullmatch(value) else []


async def _wire(header: bytes, content: Content) -> AsyncIterator[bytes]:
    """The message as it goes out: a blob is read in a thread, a chunk at a time."""
    chunks = on_the_wire(_chunks(header, content))
    if not content.blob_key:
        for chunk in chunks:
            yield chunk
        return
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk


def _chunks(header: bytes, content: Content) -> Iterator[bytes]:
    yield header
    with open_body(content) as body:
        while chunk := body.read(CHUNK_OCTETS):
            yield chunk


def _is_seven_bit(content: Content) -> bool:
    return all(chunk.isascii() for chunk in _chunks(bytes(content.header), content))
