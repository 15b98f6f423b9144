"""Parses a message to the helpdesk: sender, content, and the letters that it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import addresses_in
from engine.mail.header import HeaderBlock
from engine.registry.addresses.display_names import safe_display_name
from engine.storage import content
from engine.storage.models import Message
from portal.helpdesk import ticket_links
from portal.helpdesk.actions.tickets import MAX_SUBJECT_LENGTH
from portal.helpdesk.intake.message_content import MessageContent, content_of

# Recipients searched for a reply address of ours, and Message-IDs for one of ours: both
# lists are the sender's, who may make them long.
MAX_RECIPIENTS = 100
MAX_IDS = 40

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
# As mail programs mark a forward, in the languages of the community's members.
_FORWARD = re.compile(
    r"(?:fwd?|wg|tr|rv|i|enc|vs|vb|doorst|pd|videre|továbbítás)\s?:", re.IGNORECASE
)
_BULK = {"bulk", "junk", "list", "auto_reply"}


@dataclass(slots=True)
class IncomingMessage:
    """The parts of a message that the helpdesk needs."""

    header: HeaderBlock
    sender: Address | None
    name: str
    subject: str
    message_id: str
    content: MessageContent

    @property
    def automatic_reason(self) -> str:
        """Why the message counts as automatic; empty for a person's mail (RFC 3834 §2)."""
        submitted = self.header.text("Auto-Submitted").partition(";")[0].strip()
        if submitted and submitted.casefold() != "no":
            return "An automatic message"
        if self.header.text("Precedence").strip().casefold() in _BULK:
            return "Bulk mail or an automatic reply"
        if self._is_report:
            return "A delivery notice or a receipt"
        for name in ("X-Loop", "X-Autoreply", "X-Autorespond", "List-Id"):
            if self.header.get(name):
                return f"Sent by a program ({name})"
        return ""

    @property
    def _is_report(self) -> bool:
        # RFC 6522. Some programs send read receipts from their user's own address.
        kind = self.header.text("Content-Type").partition(";")[0]
        return kind.strip().casefold() == "multipart/report"

    @property
    def is_forward(self) -> bool:
        """Whether it passes another message on: all of it is for us to read."""
        if self.header.get("X-Forwarded-Message-Id") or self.header.get("Resent-From"):
            return True
        return bool(_FORWARD.match(self.subject))

    @property
    def ticket_by_address(self) -> int | None:
        """The id of the ticket whose signed reply address is among the recipients."""
        for name in ("To", "Cc", "Delivered-To", "X-Original-To"):
            for one in self.header.all(name):
                for named in addresses_in(one.value)[:MAX_RECIPIENTS]:
                    found = ticket_links.ticket_of_address(named.address)
                    if found is not None:
                        return found
        return None

    @property
    def answered_ids(self) -> list[str]:
        """The Message-IDs in In-Reply-To and References, the latest last."""
        text = f"{self.header.text('In-Reply-To')} {self.header.text('References')}"
        return _MESSAGE_ID.findall(text)[-MAX_IDS:]


def parse(message: Message) -> IncomingMessage:
    """Parses a stored message; malformed headers and parts are tolerated."""
    header = content.header(message)
    block = HeaderBlock.salvage(header)
    found = content_of(header, content.body_source(message))
    subject = " ".join(block.text("Subject").split())
    if len(subject) > MAX_SUBJECT_LENGTH:
        found.text = f"{subject}\n\n{found.text}"
    return IncomingMessage(
        header=block,
        sender=_address(message.from_address),
        name=safe_display_name(message.from_name, message.from_address),
        subject=message.subject,
        message_id=message.message_id,
        content=found,
    )


def address_key(text: str) -> str:
    """Returns the normalised form of an address; other text is only case-folded."""
    address = _address(text)
    return address.key if address else text.casefold()


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InvalidAddressError:
        return None
