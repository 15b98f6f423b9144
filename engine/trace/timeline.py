"""Explains a message's events in plain English, as a timeline for each recipient.

Pure functions, without database or clock. Members, administrators, staff and other systems
read the same sentences; the reader's visibility decides how much is shown of servers and
scanners. Nothing ever shows the content of a message.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Protocol

from engine.trace.models import EventKind

WORDS = {
    EventKind.RECEIVED: "Accepted and kept",
    EventKind.REFUSED: "Refused; nothing was kept",
    EventKind.QUARANTINED: "Stopped by the virus scanner",
    EventKind.DELIVERED: "Delivered to the mailbox",
    EventKind.RELAYED: "Handed to the recipient's own mail server, which took it",
    EventKind.EXPANDED: "Sent on to the members of the list",
    EventKind.DEFERRED: "Could not be delivered yet; it will be tried again",
    EventKind.FAILED: "Could not be delivered; the sender has been notified",
    EventKind.HELD: "Held",
    EventKind.RELEASED: "Released, and on its way again",
    EventKind.DROPPED: "Dropped by an operator",
}

# Of mail to postmaster@ and abuse@: their number would say something of an organisation.
TO_READERS = "Sent on to the people who read this address"
# For a deferral, the only event that is counted instead of repeated.
AGAIN = "Could not be delivered yet, after {times} attempts; it will be tried again"

# What a reply's enhanced code (RFC 3463) means for the sender, the most specific first.
ADVICE = {
    "x.1.1": "This address does not exist. Check its spelling, or look in the directory.",
    "x.1.2": "This domain does not exist. Check what follows the @.",
    "x.1.10": "This address does not accept mail. Ask the organisation for another one.",
    "x.2.1": "The mailbox is closed for now. Ask the organisation.",
    "x.2.2": "The mailbox is full. Its owner must delete something first.",
    "x.2.3": "The message is too large for this recipient. Send less at a time.",
    "x.3.4": "The message is too large. Send less at a time.",
    "x.4.1": "The recipient's server could not be reached. Its IT department must check it.",
    "x.4.2": "The connection to the recipient's server was lost. We will try again.",
    "x.4.6": "The message was going round in a loop. Ask the helpdesk.",
    "x.4.7": "It waited too long. Send it again once the recipient's server works.",
    "x.6.3": "The recipient's server accepts no 8-bit text, and the message could not be "
    "converted. The reply says why and what to do.",
    "x.7.1": "The recipient's rules do not allow it. Ask the organisation.",
    "x.7.4": "The recipient's server offers no encryption that we accept. "
    "Its IT department must switch it on.",
    "x.7.5": "The identity of the recipient's server could not be verified. Its IT "
    "department must renew its certificate.",
    "x.1": "Something is wrong with the address. Check it, or look in the directory.",
    "x.2": "Something is wrong with the mailbox. Ask the organisation.",
    "x.4": "The recipient's server could not be reached. Its IT department must check it.",
    "x.7": "A rule does not allow it. The reply says which.",
}
PROBLEMS = frozenset(
    {EventKind.REFUSED, EventKind.DEFERRED, EventKind.FAILED, EventKind.QUARANTINED}
)
# Facts for staff only: about servers, scanners and how the sender was authenticated.
STAFF_FACTS = {
    "source": "Came by",
    "peer": "From the address",
    "how": "Proved by",
    "tls": "Encryption",
    "tls_version": "Encryption",
    "tls_cipher": "Cipher",
    "next_hop": "To the server",
    "certificate_verified_for": "Its certificate proved",
    "scanner": "Scanned by",
    "signature": "The scanner found",
    "command": "At the command",
    "attempt": "Attempt",
    "converted": "Converted to",
    "size": "Octets",
    "recipients": "Recipients",
    "list": "The list",
    "expanded_from": "Sent on from",
    "sent_on_as": "Sent on as",
    "refused": "Refused by their server",
    "notice_of": "A notice about",
}
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3})\.(\d{1,3})\b")


class Visibility(IntEnum):
    """How much the reader may see."""

    MEMBER = 1
    STAFF = 2


class TracedEvent(Protocol):
    """What a timeline needs of an event; engine.trace.models.Event has it."""

    reference: str
    recipient: str
    kind: str
    at: datetime
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One event in words; `advice` says what to do, where something can be done."""

    at: datetime
    text: str
    recipient: str
    reply: str
    advice: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    is_problem: bool = False
    times: int = 1
    last_at: datetime | None = None
    """When it happened last, if more than once."""


@dataclass(frozen=True, slots=True)
class RecipientTimeline:
    """The steps for one recipient; the last one is the present state."""

    recipient: str
    steps: tuple[Step, ...]

    @property
    def outcome(self) -> Step:
        """The latest step."""
        return self.steps[-1]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A message's steps: those of the message as a whole, then those of each recipient."""

    message_steps: tuple[Step, ...]
    recipients: tuple[RecipientTimeline, ...]


def build_timeline(events: Iterable[TracedEvent], visibility: Visibility) -> Timeline:
    """Returns the timeline of one message, from its events in the order of time."""
    by_recipient: defaultdict[str, list[Step]] = defaultdict(list)
    for event in events:
        by_recipient[event.recipient].append(step(event, visibility))
    message_steps = tuple(by_recipient.pop("", ()))
    recipients = (
        RecipientTimeline(name, tuple(steps))
        for name, steps in sorted(by_recipient.items())
    )
    return Timeline(message_steps, tuple(recipients))


def step(event: TracedEvent, visibility: Visibility) -> Step:
    """Returns one event in words."""
    kind = EventKind(event.kind)
    reply = str(event.detail.get("reply", "") or event.detail.get("reason", ""))
    times, last_at = repeated(event.detail)
    words = TO_READERS if event.detail.get("role") else WORDS[kind]
    return Step(
        at=event.at,
        text=(words if times == 1 else AGAIN.format(times=times))
        + _unscanned(event.detail),
        recipient=event.recipient,
        reply=reply,
        advice=_advice(reply) if kind in PROBLEMS else "",
        facts=_facts(event.detail) if visibility >= Visibility.STAFF else (),
        is_problem=kind in PROBLEMS,
        times=times,
        last_at=last_at,
    )


def repeated(detail: dict[str, Any]) -> tuple[int, datetime | None]:
    """Returns how often an event happened, and the last time if that is not its `at`."""
    times, last_at = detail.get("times", 1), detail.get("last_at")
    return int(times), datetime.fromisoformat(last_at) if last_at else None


def _unscanned(detail: dict[str, Any]) -> str:
    what = ", ".join(map(str, detail.get("unscanned") or ()))
    return f"; could not be scanned for viruses: {what}" if what else ""


def _advice(reply: str) -> str:
    found = _ENHANCED.search(reply)
    if found is None:
        return ""
    subject, detail = found.groups()
    exact = ADVICE.get(f"x.{subject}.{detail}", "")
    return exact or ADVICE.get(f"x.{subject}", "")


def _facts(detail: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (label, str(detail[name]))
        for name, label in STAFF_FACTS.items()
        if detail.get(name) not in (None, "")
    )
