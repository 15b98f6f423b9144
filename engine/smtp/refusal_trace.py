"""What members were refused, for the trace: noted at once, written down together soon."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine import clock
from engine.mail.address import Address, InvalidAddressError
from engine.mail.smtp_replies import Reply
from engine.queue.models import Source
from engine.smtp.mail_transaction import Transaction
from engine.smtp.session_binding import Binding, Peer
from engine.threads import DatabaseThreads
from engine.trace import event_log
from engine.trace.models import EventKind

# Of one organisation between two writings; the log has every one.
LIMIT = 100

# Whoever only says that they are a member leaves one of a kind in so many seconds.
CLAIM_SECONDS = 60.0

SPOKEN_LENGTH = 254  # of Event.recipient


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that a bound session was refused for good, and why."""

    command: str
    said: str
    answer: Reply
    source: Source
    binding: Binding
    peer: Peer

    @property
    def is_worth_a_trace(self) -> bool:
        """Not a mistake in the protocol itself (RFC 3463 §3.6), which says nothing of mail."""
        return self.answer.is_permanent and self.answer.enhanced[:4] != "5.5."

    def sender(self, transaction: Transaction) -> str:
        """Who sent it, as said; empty when null."""
        if self.command == "MAIL":
            return address_in(self.said)
        return str(transaction.sender or "")

    def detail(self, transaction: Transaction) -> dict[str, Any]:
        return {
            "reply": str(self.answer),
            "command": self.command,
            "sender": self.sender(transaction),
            "source": str(self.source),
            "organisation_id": self.binding.organisation_id,
            "connection_id": self.binding.connection_id,
            "person_id": self.binding.person_id,
            "peer": str(self.peer.address),
        }

    def recipients(self, transaction: Transaction) -> Sequence[str]:
        """Whom it concerns: all of them when the message itself was refused."""
        match self.command:
            case "RCPT":
                return [address_in(self.said)]
            case "DATA":
                return [str(known.address) for known in transaction.recipients]
        return [""]


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody was refused who may be a member's server, and showed no proof.

    The member who is trying to connect sees why; nobody else learns anything.
    """

    organisation_id: int
    command: str
    answer: Reply
    sender: str
    peer: str

    def detail(self) -> dict[str, Any]:
        return {
            "reply": str(self.answer),
            "command": self.command,
            "sender": self.sender,
            "source": str(Source.RECEIVE),
            "organisation_id": self.organisation_id,
            "peer": self.peer,
            "is_claim": True,
        }


class Refusals:
    """Refusals that wait to be written. All calls come from one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: list[event_log.Row] = []
        self._count: Counter[int | None] = Counter()
        self._claimed: dict[tuple[int, str, str], float] = {}

    def note(self, refused: Refused, transaction: Transaction) -> None:
        """Keep it for the trace, under the reference that its message has or would have."""
        if not refused.is_worth_a_trace:
            return
        owner = refused.binding.organisation_id
        detail = refused.detail(transaction)
        for recipient in refused.recipients(transaction):
            if self._count[owner] < LIMIT:
                self._count[owner] += 1
                self._waiting.append(
                    (transaction.reference, recipient, EventKind.REFUSED, detail)
                )

    def note_claim(self, claim: Claim, reference: str) -> None:
        """Keep it too, one of a kind a minute: anybody may claim to be anybody."""
        kind = (claim.organisation_id, claim.command, claim.answer.text)
        now = self._clock()
        if now - self._claimed.get(kind, -CLAIM_SECONDS) >= CLAIM_SECONDS:
            self._claimed[kind] = now
            self._waiting.append((reference, "", EventKind.REFUSED, claim.detail()))

    async def write(self, threads: DatabaseThreads) -> None:
        """Write down what waits. Where that fails, it goes on waiting."""
        batch = list(self._waiting)
        if batch:
            await threads.run(_write, batch)
            del self._waiting[: len(batch)]
        self._count.clear()


def _write(batch: Sequence[event_log.Row]) -> None:
    event_log.insert(batch, at=clock.now())


def address_in(said: str) -> str:
    """The address that a command named, in its key form, or what can be read of it."""
    path = said.partition(":")[2].strip().partition(" ")[0].strip("<>")
    try:
        return Address.parse(path).key
    except InvalidAddressError:
        readable = (c if c.isascii() and c.isprintable() else "?" for c in path)
        return "".join(readable)[:SPOKEN_LENGTH]
