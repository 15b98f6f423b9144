"""Traces refused commands: collects them in memory and writes them in batches.

What an organisation's server or person was refused is in its trace. Clients that proved
nothing are counted by source and hour.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
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
from engine.trace import event_log, stranger_counts
from engine.trace.stranger_counts import StrangerCounter

# Refusals of one organisation between two writes. A commit for each would let any client
# slow the engine down with RCPT; the log has every refusal.
LIMIT = 100

# Seconds between two traces of the same kind that an unauthenticated client may leave,
# and between two of the same temporary refusal, which a server repeats for hours.
REPEAT_SECONDS = 60.0

# Seconds between two writes of the counts of strangers.
COUNT_SECONDS = 10.0

_NUMBERS = re.compile(r"\d+")  # such as the seconds until a rate allows more

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
        """Whether the refusal is about mail.

        Protocol errors (5.5.z, RFC 3463 §3.6) say nothing about a message.
        """
        return self.answer.enhanced[:4] != "5.5."

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
            case "DATA" | "BDAT":
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
        self._waiting: list[event_log.Refusal] = []
        self._count: Counter[int | None] = Counter()
        # When each kind of claim and of temporary refusal was kept last.
        self._kept: dict[Hashable, float] = {}
        self._strangers = StrangerCounter()
        self._counted_at = clock()

    def note(self, refused: RefusedCommand, transaction: MailTransaction) -> Reply:
        """Logs a refusal and keeps it, under the reference that its message has or would
        have. Returns the reply to send, which quotes the reference where the trace will
        have it."""
        refused.log(transaction)
        answer, binding = refused.answer, refused.binding
        if not refused.is_worth_a_trace:
            return answer
        if answer.is_temporary and not self._is_new(
            (binding.owner, refused.command, _NUMBERS.sub("", answer.text))
        ):
            return answer
        organisation_id = binding.organisation_id
        detail = refused.detail(transaction)
        is_kept = False
        for recipient in refused.recipients(transaction):
            # Counted for each organisation, so that a noisy one hides no other's.
            if self._count[organisation_id] < LIMIT:
                self._count[organisation_id] += 1
                self._waiting.append(
                    (transaction.reference, recipient, detail, organisation_id)
                )
                is_kept = True
        # A provider's client that proved no tenant is told what every stranger is.
        is_shown = is_kept and organisation_id is not None
        if is_shown and answer.is_permanent:
            return answer.quoting(transaction.reference)
        return answer

    def note_claim(self, claim: UnprovenClaim, reference: str) -> None:
        """Keeps a claim, one a minute for each organisation, command and reply text.

        In no organisation's trace: any client may claim any domain.
        """
        if self._is_new((claim.organisation_id, claim.command, claim.answer.text)):
            self._waiting.append((reference, "", claim.detail(), None))

    def count_stranger(self, peer: Peer, answer: Reply) -> None:
        """Counts a refusal of a client that proved nothing."""
        self._strangers.count(peer.address, str(answer))

    def _is_new(self, kind: Hashable) -> bool:
        """Returns whether the last of the kind is a minute old, and begins another."""
        now = self._clock()
        if now - self._kept.get(kind, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._kept[kind] = now
        return True

    async def write(self, threads: DatabaseThreads) -> None:
        """Writes what waits to the trace; where that fails, it goes on waiting."""
        batch = list(self._waiting)
        if batch:
            await threads.run(_write, batch)
            # Only what was written: more may have come meanwhile.
            del self._waiting[: len(batch)]
        self._count.clear()
        await self._write_counts(threads)

    async def _write_counts(self, threads: DatabaseThreads) -> None:
        now = self._clock()
        if now - self._counted_at < COUNT_SECONDS:
            return
        self._counted_at = now
        self._kept = {
            kind: at for kind, at in self._kept.items() if now - at < REPEAT_SECONDS
        }
        taken = self._strangers.take()
        if not taken:
            return
        try:
            await threads.run(stranger_counts.add, taken)
        except Exception:
            self._strangers.put_back(taken)
            raise


def _write(batch: Sequence[event_log.Refusal]) -> None:
    event_log.insert_refusals(batch, at=clock.now())


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
