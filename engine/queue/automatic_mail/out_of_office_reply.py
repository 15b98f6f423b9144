"""Composes the automatic reply of a mailbox whose holder is away (RFC 3834)."""

from __future__ import annotations

import re
from datetime import timedelta

from engine.database import clock
from engine.mail import automatic_answers
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress, addresses_in
from engine.mail.composer import compose
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Source
from engine.routing import routes
from engine.routing.routes import Routes
from engine.storage import content
from engine.storage.models import Answered, Message, OutOfOffice

# A sender gets at most one reply in this time (RFC 3834 §2).
REPLY_INTERVAL = timedelta(days=7)
# Addresses of To and Cc that are resolved to find whether the mailbox is named.
LIMIT = 100

# Local parts that belong to programs, which must not be replied to (RFC 3834 §2).
_MACHINES = re.compile(
    r"(?:no-?_?reply|do-?_?not-?_?reply|mailer-daemon|postmaster|owner-.*|.*-request"
    r"|.*-bounces?|bounces?|notices?|listserv|majordomo)(?:\+.*)?",
    re.IGNORECASE,
)


def reply_to(message: Message, requires_tls: bool) -> AcceptedMessage | None:
    """Returns the reply to send, in the caller's transaction; None where there is none.

    `requires_tls` says whether the message was sent with REQUIRETLS (RFC 8689 §6).
    """
    now = clock.now()
    away = OutOfOffice.objects.on_at(now).filter(mailbox=message.mailbox_id).first()
    header = HeaderBlock.salvage(content.header(message))
    known = routes.current()
    if away is None or not message.envelope_sender or not _expects_reply(header):
        return None
    sender = Address.parse(message.envelope_sender)
    if _MACHINES.fullmatch(sender.local) or not _is_named(message, header, known):
        return None
    route = known.resolve(sender)
    if route.mailbox_id == message.mailbox_id or not _claim_reply(message, sender):
        return None
    return AcceptedMessage(
        # The null sender, so that two mailboxes cannot reply to each other's replies
        # (RFC 3834 §3.3).
        envelope=Envelope.simple(None, route.address, requires_tls=requires_tls),
        destinations=(route.destination,),
        kept=content.keep(*split(_compose(away, message, sender))),
        source=Source.SYSTEM,
        organisation_id=message.mailbox.organisation_id,
        detail={"out_of_office_of": message.mailbox.address},
    )


def _expects_reply(header: HeaderBlock) -> bool:
    """Returns False for mail from programs and lists (RFC 3834 §2, RFC 2919, RFC 2369)."""
    if any(field.name.lower().startswith("list-") for field in header.fields):
        return False
    return (
        not automatic_answers.mark_of(header)
        and header.text("Precedence").strip().lower() != "list"
        and not header.get("X-Loop")
        and not header.get("X-Auto-Response-Suppress")
    )


def _is_named(message: Message, header: HeaderBlock, known: Routes) -> bool:
    """Returns whether To or Cc names this mailbox.

    A reply to a blind copy would disclose that the mailbox received one.
    """
    named = [
        one.address
        for name in ("To", "Cc")
        for field in header.all(name)
        for one in addresses_in(field.value)
    ]
    return any(_leads_to(known, a, message.mailbox_id) for a in named[:LIMIT])


def _leads_to(known: Routes, address: Address, mailbox_id: int) -> bool:
    try:
        return known.resolve(address).mailbox_id == mailbox_id
    except PermanentFailure:
        return False


def _claim_reply(message: Message, sender: Address) -> bool:
    """Returns whether the sender is due a reply, and records that it gets one now."""
    now = clock.now()
    # Locked, so that two messages handled at the same moment get one reply together.
    answered, is_new = Answered.objects.select_for_update().get_or_create(
        mailbox_id=message.mailbox_id, sender=sender.key, defaults={"at": now}
    )
    if is_new:
        return True
    if answered.at > now - REPLY_INTERVAL:
        return False
    answered.at = now
    answered.save(update_fields=["at"])
    return True


def _compose(away: OutOfOffice, message: Message, sender: Address) -> bytes:
    header = HeaderBlock.salvage(content.header(message))
    mailbox = message.mailbox
    references = f"{header.text('References')} {message.message_id}"
    return compose(
        sender=NamedAddress(mailbox.name, Address.parse(mailbox.address)),
        to=[NamedAddress("", sender)],
        subject=away.subject or f"Automatic reply: {message.subject}",
        text=away.text.replace("\r\n", "\n"),
        in_reply_to=message.message_id,
        references=references,
        extra_headers={
            "Auto-Submitted": "auto-replied",
            "X-Auto-Response-Suppress": "All",
        },
    )
