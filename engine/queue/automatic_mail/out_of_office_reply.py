"""The answer that a mailbox gives by itself while its holder is away (RFC 3834)."""

from __future__ import annotations

import re
from datetime import timedelta

from engine import clock
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress, addresses_in
from engine.mail.composer import compose
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.queue.enqueue.accepted_message import Incoming
from engine.queue.models import Source
from engine.routing import routes
from engine.routing.routes import Routes
from engine.storage import content
from engine.storage.models import Answered, Message, OutOfOffice

# How long the same sender is not told again (RFC 3834 §2).
PAUSE = timedelta(days=7)
# Addresses of To and Cc that are looked at.
LIMIT = 100

# RFC 3834 §2: who does not read answers.
_MACHINES = re.compile(
    r"(?:no-?_?reply|do-?_?not-?_?reply|mailer-daemon|postmaster|owner-.*|.*-request"
    r"|.*-bounces?|bounces?|notices?|listserv|majordomo)(?:\+.*)?",
    re.IGNORECASE,
)


def answer(message: Message) -> Incoming | None:
    """What to send, in the caller's transaction; None where nothing should be."""
    now = clock.now()
    away = OutOfOffice.objects.on_at(now).filter(mailbox=message.mailbox_id).first()
    header = HeaderBlock.salvage(bytes(message.content.header))
    known = routes.current()
    if away is None or not message.envelope_sender or not _asks(header):
        return None
    sender = Address.parse(message.envelope_sender)
    if _MACHINES.fullmatch(sender.local) or not _is_named(message, header, known):
        return None
    route = known.resolve(sender)
    if route.mailbox_id == message.mailbox_id or not _is_due(message, sender):
        return None
    return Incoming(
        envelope=Envelope.simple(None, route.address),
        destinations=(route.destination,),
        kept=content.keep(*split(_written(away, message, sender))),
        source=Source.SYSTEM,
        organisation_id=message.mailbox.organisation_id,
        detail={"out_of_office_of": message.mailbox.address},
    )


def _asks(header: HeaderBlock) -> bool:
    """False for what machines and lists send (RFC 3834 §2, RFC 2919, RFC 2369)."""
    if any(field.name.lower().startswith("list-") for field in header.fields):
        return False
    automatic = header.text("Auto-Submitted").partition(";")[0].strip().lower()
    precedence = header.text("Precedence").strip().lower()
    return (
        automatic in ("", "no")
        and precedence not in ("bulk", "junk", "list")
        and not header.get("X-Loop")
        and not header.get("X-Auto-Response-Suppress")
    )


def _is_named(message: Message, header: HeaderBlock, known: Routes) -> bool:
    """Whether To or Cc names this mailbox: a blind copy tells nothing of itself."""
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


def _is_due(message: Message, sender: Address) -> bool:
    """Whether this sender was not told lately; from now on they were."""
    now = clock.now()
    told, is_new = Answered.objects.select_for_update().get_or_create(
        mailbox_id=message.mailbox_id, sender=sender.key, defaults={"at": now}
    )
    if is_new:
        return True
    if told.at > now - PAUSE:
        return False
    told.at = now
    told.save(update_fields=["at"])
    return True


def _written(away: OutOfOffice, message: Message, sender: Address) -> bytes:
    header = HeaderBlock.salvage(bytes(message.content.header))
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
