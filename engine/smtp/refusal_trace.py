"""Traces refused commands: collects them in memory and writes them in batches."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.database import clock
from engine.database.threads import DatabaseThreads
from engine.mail.address import Address, InvalidAddressError
from engine.mail.smtp_replies import Reply
from engine.observability import message_log
from engine.queue.models import Source
from engine.smtp.mail_transaction import MailTransaction
from engine.smtp.session_binding import Binding, Peer
from engine.trace import event_log
from engine.trace.models import EventKind

# Refusals of one organisation between two writes. A commit for each would let any client
# slow the engine down with RCPT; the log has every refusal.
LIMIT = 100

# Seconds between two traces of the same kind that an unauthenticated client may leave.
CLAIM_SECONDS = 60.0

RECIPIENT_LENGTH = 254  # characters of Event.recipient


@dataclass(frozen=True, slots=True)
class RefusedCommand:
    """A command of a bound session, as the client sent it, and the refusal."""

    command: str
    argument: str
    answer: Reply
    source: Source
    binding: Binding
    peer: Peer

    @property
    def is_worth_a_trace(self) -> bool:
        """Whether the refusal is permanent and about mail.

        Protocol errors (X.5.z, RFC 3463 §3.6) say nothing about a message.
        """
        return self.answer.is_permanent and self.answer.enhanced[:4] != "5.5."

    def sender(self, transaction: MailTransaction) -> str:
        """Returns the envelope sender as the client gave it; empty when null."""
        if self.command == "MAIL":
            return address_in(self.argument)
        return str(transaction.sender or "")

    def detail(self, transaction: MailTransaction) -> dict[str, Any]:
        """Returns the facts for the trace."""
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

    def log(self, transaction: MailTransaction) -> None:
        """Writes the refusal's line of the message log."""
        message_log.refused(
            reference=transaction.reference,
            source=str(self.source),
            sender=self.sender(transaction),
            recipients=self.recipients(transaction),
            reply=self.answer,
            command=self.command,
            organisation_id=self.binding.organisation_id,
            peer=str(self.peer.address),
        )

    def recipients(self, transaction: MailTransaction) -> Sequence[str]:
        """Returns the recipients concerned: all when the message itself was refused."""
        match self.command:
            case "RCPT":
                return [address_in(self.argument)]
            case "DATA":
                return [str(known.address) for known in transaction.recipients]
        return [""]


@dataclass(frozen=True, slots=True)
class UnprovenClaim:
    """A refusal to a client that claims to be a member's server, without proof.

    The organisation that is setting up its connection sees why it fails. It is shown as
    a claim, because any client may claim any domain; the client itself learns nothing.
    """

    organisation_id: int
    command: str
    answer: Reply
    sender: str
    peer: str

    def detail(self) -> dict[str, Any]:
        """Returns the facts for the trace."""
        return {
            "reply": str(self.answer),
            "command": self.command,
            "sender": self.sender,
            "source": str(Source.RECEIVE),
            "organisation_id": self.organisation_id,
            "peer": self.peer,
            "is_claim": True,
        }


class RefusalTrace:
    """Refusals that wait to be written. All calls come from one event loop.

    A crash may lose those since the last write, about a second of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: list[event_log.Row] = []
        self._count: Counter[int | None] = Counter()
        self._claimed: dict[tuple[int, str, str], float] = {}

    def note(self, refused: RefusedCommand, transaction: MailTransaction) -> None:
        """Logs a refusal and keeps it, under the reference that its message has or would
        have."""
        refused.log(transaction)
        if not refused.is_worth_a_trace:
            return
        organisation_id = refused.binding.organisation_id
        detail = refused.detail(transaction)
        for recipient in refused.recipients(transaction):
            # Counted for each organisation, so that a noisy one hides no other's.
            if self._count[organisation_id] < LIMIT:
                self._count[organisation_id] += 1
                self._waiting.append(
                    (transaction.reference, recipient, EventKind.REFUSED, detail)
                )

    def note_claim(self, claim: UnprovenClaim, reference: str) -> None:
        """Keeps a claim, one a minute for each organisation, command and reply text."""
        kind = (claim.organisation_id, claim.command, claim.answer.text)
        now = self._clock()
        if now - self._claimed.get(kind, -CLAIM_SECONDS) >= CLAIM_SECONDS:
            self._claimed[kind] = now
            self._waiting.append((reference, "", EventKind.REFUSED, claim.detail()))

    async def write(self, threads: DatabaseThreads) -> None:
        """Writes what waits to the trace; where that fails, it goes on waiting."""
        batch = list(self._waiting)
        if batch:
            await threads.run(_write, batch)
            # Only what was written: more may have come meanwhile.
            del self._waiting[: len(batch)]
        self._count.clear()


def _write(batch: Sequence[event_log.Row]) -> None:
    event_log.insert_rows(batch, at=clock.now())


def address_in(argument: str) -> str:
    """Returns the address in a MAIL or RCPT argument, in its key form.

    Of an invalid address, returns up to 254 characters, printable ASCII only: they are
    shown to an administrator.
    """
    path = argument.partition(":")[2].strip().partition(" ")[0].strip("<>")
    try:
        return Address.parse(path).key
    except InvalidAddressError:
        readable = (c if c.isascii() and c.isprintable() else "?" for c in path)
        return "".join(readable)[:RECIPIENT_LENGTH]
