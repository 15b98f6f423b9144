"""A message on its way into the queue."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.mail.envelope import Envelope
from engine.queue.models import Source
from engine.routing.routes import RouteKind
from engine.storage.content import KeptContent

# The destination of all mailboxes kept here.
MAILBOX = RouteKind.MAILBOX.value


def new_reference() -> str:
    """A queue id: what replies, traces and helpdesk calls name a message by."""
    return secrets.token_hex(8).upper()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that passed every check and whose body is safe on the disk.

    `destinations` stands beside the envelope's recipients, one each. `fingerprint`
    is empty where a resend cannot be told from a new message. Nothing is delivered
    before `release_at`, so that its sender may still take it back.
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
    reference: str = field(default_factory=new_reference)
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def sender(self) -> str:
        """The envelope sender; empty when null."""
        return str(self.envelope.sender or "")
