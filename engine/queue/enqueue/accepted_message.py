"""The message that a commit puts on the queue."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.mail.envelope import Envelope
from engine.queue.models import Source
from engine.routing.routes import RouteKind
from engine.storage.content import KeptContent

# The destination that all mailboxes hosted here share.
MAILBOX = RouteKind.MAILBOX.value


def new_reference() -> str:
    """Returns a new queue id, by which replies, traces and helpdesk calls name a message."""
    return secrets.token_hex(8).upper()


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that passed every check and whose body is safe on disk.

    `destinations` runs parallel to the envelope's recipients. `fingerprint` identifies a
    resend of the same bytes to the same recipients; it is empty where a resend cannot be
    distinguished from a new message. Nothing is delivered before `release_at`, so that
    the sender can still withdraw the message. With `hold`, a value of `Hold`, an operator
    decides about it first. `detail` goes into the trace.
    """

    envelope: Envelope
    destinations: tuple[str, ...]
    kept: KeptContent
    source: Source
    organisation_id: int | None = None
    person_id: int | None = None
    connection_id: int | None = None
    key_id: int | None = None
    fingerprint: str = ""
    release_at: datetime | None = None
    hold: str = ""
    reference: str = field(default_factory=new_reference)
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def sender(self) -> str:
        """The envelope sender; empty for the null reverse-path."""
        return str(self.envelope.sender or "")
