"""Composes what a certificate states, from the trace as its reader may see it.

No server, network address or scanner of another organisation is named: of each hop only
whether it was encrypted, how, and whether the server proved its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from engine.antivirus.scanners.message_scan import OFF
from engine.blobs.interface import BlobStoreError
from engine.certificates.models import Certificate, Role
from engine.certificates.verification import TYPE
from engine.certificates.visibility import View
from engine.encryption.errors import MasterKeyUnavailableError, UnreadableError
from engine.queue.models import Source
from engine.storage import content
from engine.storage.models import Message
from engine.trace import timeline
from engine.trace.models import OF_LINKS, Event, EventKind
from engine.trace.timeline import Visibility

MAX_RECIPIENTS = 200  # stated in one certificate
PIECE = 1024 * 1024  # octets read at a time
READ = (
    "That a person has read or opened the message. “Delivered” means that this service "
    "put it into the mailbox; “handed to the recipient’s own mail server”, that this "
    "server took responsibility for it. What happened to it later is not stated."
)
TRUE = (
    "That what the message says is true, or that its author is who the text says. The "
    "sender on the envelope is the address that this service accepted the message from."
)
CONTENT = (
    "What the message says: the certificate holds no content. The digests prove that a "
    "copy of the message is the one that was carried."
)
TIME = "The time by an outside authority: all times are those of this service’s clock."
NOT_CLAIMED = (READ, TRUE, CONTENT, TIME)
# The trace's words for the ways in which a message enters.
ENTERED = {
    Source.RECEIVE: "from the mail server of the author’s organisation",
    Source.SUBMISSION: "from the author’s mail program",
    Source.WEBMAIL: "from this service’s webmail",
    Source.API: "from a program, by this service’s interface",
    Source.SYSTEM: "from this service itself",
    Source.DSN: "from this service itself, as a delivery notice",
    Source.LIST: "from a distribution list of this service",
}
CLEAN = "no virus was found"
NOT_SCANNED = "the message was not scanned: the scanner was switched off"
NOT_RECORDED = "accepted; the scan was not recorded"
TAKEN_OUT = frozenset({EventKind.RECALLED, EventKind.WITHDRAWN})
BEFORE = "; it had been delivered to the mailbox at {at}"
ENCRYPTED_HOPS = frozenset({EventKind.RELAYED})


def compose(
    certificate: Certificate, view: View, *, pages: dict[str, str]
) -> dict[str, Any]:
    """Returns the statement without its audit entry.

    `pages` are the public addresses of the verification page and the key list.
    """
    received = view.events[0]
    recipients = list(_recipients(view.events[1:]))
    digests, missing = _digests(view, received)
    left_out = len(recipients) - MAX_RECIPIENTS
    if left_out > 0:
        missing.append(
            f"The outcome for {left_out} of the {len(recipients)} recipients: a certificate "
            f"states {MAX_RECIPIENTS} at most."
        )
    ours = settings.POSTERN
    return {
        "type": TYPE,
        "number": str(certificate.number),
        "made_at": _moment(certificate.made_at),
        "community": {
            "name": ours.community_name,
            "domain": ours.community_domain,
            **pages,
        },
        "made_for": {
            "role": certificate.role,
            "name": view.name,
        },
        "message": {
            "reference": view.reference,
            "sender": str(received.detail.get("sender", "")),
            "accepted_at": _moment(received.at),
            "size": received.detail.get("size"),
            **digests,
            "entered": _entered(received),
            "tls": str(received.detail.get("tls", "")),
        },
        "scan": _scan(received),
        "recipients": recipients[:MAX_RECIPIENTS],
        "not_stated": missing,
        "not_claimed": list(NOT_CLAIMED),
    }


def _recipients(events: Iterable[Event]) -> Iterator[dict[str, Any]]:
    """Yields the latest state of each recipient, in the order of their first events."""
    latest: dict[str, Event] = {}
    delivered: dict[str, Event] = {}
    for event in events:
        # A recall in vain changes nothing, nor does a download.
        if event.kind not in (EventKind.NOT_RECALLED, *OF_LINKS):
            latest[event.recipient] = event
        if event.kind == EventKind.DELIVERED:
            delivered[event.recipient] = event
    for address, event in latest.items():
        step = timeline.step(event, Visibility.MEMBER)
        before = delivered.get(address) if event.kind in TAKEN_OUT else None
        is_hop = event.kind in ENCRYPTED_HOPS
        yield {
            "address": address,
            "outcome": event.kind,
            "words": step.text
            + (BEFORE.format(at=_moment(before.at)) if before else ""),
            "at": _moment(step.last_at or step.at),
            "reply": step.reply,
            "tls": _tls(event) if is_hop else "",
            "server_proved_its_name": (
                bool(event.detail.get("certificate_verified_for")) if is_hop else None
            ),
        }


def _tls(event: Event) -> str:
    parts = (event.detail.get("tls_version"), event.detail.get("tls_cipher"))
    return " ".join(str(part) for part in parts if part)


def _entered(received: Event) -> str:
    source = str(received.detail.get("source", ""))
    return ENTERED[Source(source)] if source in Source.values else ""


def _scan(received: Event) -> dict[str, Any]:
    """Returns the verdict. A message in which a virus is found is never accepted."""
    scanner = received.detail.get("scanner")
    verdict = NOT_RECORDED if not scanner else NOT_SCANNED if scanner == OFF else CLEAN
    unscanned = [str(name) for name in received.detail.get("unscanned") or ()]
    return {"verdict": verdict, "could_not_be_opened": unscanned}


def _digests(view: View, received: Event) -> tuple[dict[str, Any], list[str]]:
    """Returns the SHA-256 of header and body as accepted, and what cannot be stated."""
    names = ("header", "body")
    found = {name: received.detail.get(f"{name}_digest") for name in names}
    if view.message is not None and not all(found.values()):
        own = _own_digests(view.message)
        # The copy in Sent has another header: Bcc, and no Received field.
        if view.role == Role.AUTHOR:
            own.pop("header", None)
        found |= own
    missing = [
        f"The digest of the {name}: it was not recorded when the message was accepted, and "
        "this service cannot compute it now."
        for name in names
        if not found[name]
    ]
    return {f"{name}_sha256": found[name] for name in names}, missing


def _own_digests(message: Message) -> dict[str, str]:
    """Computes the digests from the reader's own copy; empty where it is unreadable."""
    try:
        header = hashlib.sha256(content.header(message)).hexdigest()
        body = hashlib.sha256()
        with content.open_body(message) as file:
            while piece := file.read(PIECE):
                body.update(piece)
    except (
        BlobStoreError,
        FileNotFoundError,
        MasterKeyUnavailableError,
        UnreadableError,
    ):
        return {}
    return {"header": header, "body": body.hexdigest()}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
