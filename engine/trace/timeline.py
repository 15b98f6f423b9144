"""Explains a message's events in plain English, as a timeline for each recipient.

Pure functions, without database or clock. Members, administrators, staff and other systems
read the same sentences; the reader's visibility decides how much is shown of servers and
scanners. Nothing ever shows the content of a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Protocol

from engine.mail import advice, refusal_advice
from engine.trace import proofs
from engine.trace.models import OF_LINKS, EventKind

WORDS = {
    EventKind.RECEIVED: "Accepted and kept",
    EventKind.REFUSED: "Refused; nothing was delivered",
    EventKind.QUARANTINED: "Stopped by the virus scanner",
    EventKind.DELIVERED: "Delivered to the mailbox",
    EventKind.RELAYED: "Handed to the recipient's own mail server, which took it",
    EventKind.EXPANDED: "Sent on to the members of the list",
    EventKind.DEFERRED: "Could not be delivered yet; it will be tried again",
    EventKind.FAILED: "Could not be delivered; the sender has been notified",
    EventKind.HELD: "Held",
    EventKind.RELEASED: "Released, and on its way again",
    EventKind.DROPPED: "Dropped by an operator",
    EventKind.RECALLED: "Recalled by its sender, and no longer in the mailbox",
    EventKind.WITHDRAWN: "Withdrawn by the operator of the service, and no longer in the "
    "mailbox",
    EventKind.PUT_BACK: "Put back into the mailbox by the operator of the service",
    EventKind.NOT_RECALLED: "Its sender tried to recall it, and could not",
    EventKind.DOWNLOADED: "Downloaded a file that was sent as a link",
    EventKind.LINK_REFUSED: "A file that was sent as a link was refused to somebody who is "
    "no recipient",
    EventKind.LINK_ENDED: "A file that was sent as a link can no longer be downloaded",
}
# Why it can no longer be downloaded.
LINK_ENDS = {
    "expired": "it has expired",
    "stopped": "its sender stopped sharing it",
    "recalled": "its message was recalled",
    "withdrawn": "an operator of the service stopped sharing it",
    "infected": "the virus scanner found it infected later",
}

# Of mail to postmaster@ and abuse@: their number would say something of an organisation.
TO_READERS = "Sent on to the people who read this address"
# The reason of a message that its sender took back, which operators drop otherwise.
TAKEN_BACK_REASON = "taken back by its sender before it left"
TAKEN_BACK = "Taken back by its sender"
# Of a message to many who are not named to its author.
RECALLED_FROM_MANY = (
    "Recalled from the mailboxes of those who had not opened or fetched it"
)
# Why a recipient's copy stays where it is. What a recipient did is said no more closely.
STAYS_HELD = "held"
NOT_RECALLED = {
    STAYS_HELD: "Could not be recalled: an operator of the service keeps it back",
    "used": "Could not be recalled: it was already opened, fetched, forwarded or deleted",
    "unknown": "Could not be recalled: it was delivered before the service recorded "
    "whether a message is opened",
    "outside": "Could not be recalled: the recipient’s own mail server has it",
}
# Of a message that was delivered before the scanner knew what it holds.
FOUND_INFECTED = "Found infected since, and withdrawn from the mailbox"
# Of a refusal that asks to try again.
NOT_YET = "Refused for now"
# For a deferral, the only event that is counted instead of repeated.
AGAIN = "Could not be delivered yet, after {times} attempts; it will be tried again"

PROBLEMS = frozenset(
    {EventKind.REFUSED, EventKind.DEFERRED, EventKind.FAILED, EventKind.QUARANTINED}
)
# `hold` of an event whose reason is for everybody: what is suspended, or not proved.
SHARED_HOLDS = frozenset({"suspension", "unproven"})
# Facts of a refusal, which are about the refused organisation's own server or program.
REFUSAL_FACTS = {"peer": "From the address", "command": "At the command"}
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
    "tls_policy": "Protected by",
    "tlsa": "Its DNS names the certificate",
    "scanner": "Scanned by",
    "signature": "The scanner found",
    "command": "At the command",
    "attempt": "Attempt",
    "converted": "Converted to",
    "requires_tls": "REQUIRETLS",
    "size": "Octets",
    "recipients": "Recipients",
    "list": "The list",
    "expanded_from": "Sent on from",
    "sent_on_as": "Sent on as",
    "refused": "Refused by their server",
    "notice_of": "A notice about",
    "downloaded_by": "Downloaded by",
    "refused_to": "Refused to",
}
# What `tls_policy` names by the words of RFC 8460.
PROTECTIONS = {
    "tlsa": "DANE, by what the server's signed DNS says of its certificate",
    "sts": "MTA-STS, by the policy of its domain",
    "no-policy-found": "a certificate from an authority that we trust",
}


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
    is_aside: bool = False
    """Whether it leaves the state of the message as it was."""


@dataclass(frozen=True, slots=True)
class RecipientTimeline:
    """The steps for one recipient; the last one that is not aside is the present state."""

    recipient: str
    steps: tuple[Step, ...]

    @property
    def outcome(self) -> Step:
        """The latest step that changed the state."""
        states = [one for one in self.steps if not one.is_aside]
        return (states or self.steps)[-1]


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
    reply = _reply(event, visibility)
    times, last_at = repeated(event.detail)
    words = _words(event, reply)
    return Step(
        at=event.at,
        text=(words if times == 1 else AGAIN.format(times=times))
        + _unscanned(event.detail),
        recipient=event.recipient,
        reply=reply,
        advice=_advice(kind, reply),
        facts=(
            *_facts(event.detail, _shown_facts(kind, visibility)),
            *proofs.in_words(event.detail),
        ),
        is_problem=kind in PROBLEMS,
        times=times,
        last_at=last_at,
        is_aside=kind in OF_LINKS,
    )


def said_of(event: TracedEvent, visibility: Visibility) -> str:
    """Returns the sentence, the reply and the advice of `step`, for a search in them."""
    reply = _reply(event, visibility)
    advised = _advice(EventKind(event.kind), reply)
    return f"{_words(event, reply)}{_unscanned(event.detail)} {reply} {advised}"


def is_taken_back(event: TracedEvent) -> bool:
    """Returns whether the event is the sender's own undoing of the message."""
    is_dropped = event.kind == EventKind.DROPPED
    return is_dropped and event.detail.get("reason") == TAKEN_BACK_REASON


def label(event: TracedEvent) -> str:
    """Returns the kind of an event in one or two words, for lists."""
    return TAKEN_BACK if is_taken_back(event) else EventKind(event.kind).label


def _words(event: TracedEvent, reply: str) -> str:
    if is_taken_back(event):
        return TAKEN_BACK
    if event.detail.get("role"):
        return TO_READERS
    if event.kind == EventKind.RECALLED and event.detail.get("of_many"):
        return RECALLED_FROM_MANY
    if event.kind == EventKind.NOT_RECALLED:
        why = str(event.detail.get("why", ""))
        return NOT_RECALLED.get(why, WORDS[EventKind.NOT_RECALLED])
    if event.kind == EventKind.WITHDRAWN and event.detail.get("cause") == "infected":
        return FOUND_INFECTED
    if event.kind == EventKind.LINK_ENDED:
        ended = LINK_ENDS.get(str(event.detail.get("why", "")))
        return WORDS[EventKind.LINK_ENDED] + (f": {ended}" if ended else "")
    is_temporary = event.kind == EventKind.REFUSED and reply.startswith("4")
    return NOT_YET if is_temporary else WORDS[EventKind(event.kind)]


def _reply(event: TracedEvent, visibility: Visibility) -> str:
    """Returns the server's reply, or the reason, where the reader may see it."""
    reply, reason = (str(event.detail.get(name, "")) for name in ("reply", "reason"))
    if reply or is_taken_back(event):
        return reply
    # Operators write their reasons for one another.
    is_rule = event.detail.get("hold") in SHARED_HOLDS
    is_shared = is_rule or event.kind == EventKind.RECALLED
    return reason if is_shared or visibility >= Visibility.STAFF else ""


def _advice(kind: EventKind, reply: str) -> str:
    match kind:
        case EventKind.REFUSED:
            return refusal_advice.of_refusal(reply)
        case EventKind.QUARANTINED:
            return advice.VIRUS
    return advice.of_reply(reply) if kind in PROBLEMS else ""


def _shown_facts(kind: EventKind, visibility: Visibility) -> Mapping[str, str]:
    if visibility >= Visibility.STAFF:
        return STAFF_FACTS
    return REFUSAL_FACTS if kind is EventKind.REFUSED else {}


def repeated(detail: dict[str, Any]) -> tuple[int, datetime | None]:
    """Returns how often an event happened, and the last time if that is not its `at`."""
    times, last_at = detail.get("times", 1), detail.get("last_at")
    return int(times), datetime.fromisoformat(last_at) if last_at else None


def _unscanned(detail: dict[str, Any]) -> str:
    what = ", ".join(map(str, detail.get("unscanned") or ()))
    return f"; could not be scanned for viruses: {what}" if what else ""


def _facts(
    detail: dict[str, Any], shown: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (label, PROTECTIONS.get(str(detail[name]), str(detail[name])))
        for name, label in shown.items()
        if detail.get(name) not in (None, "")
    )
