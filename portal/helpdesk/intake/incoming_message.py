"""Parses a message to the helpdesk: sender, text, attachments, and the ticket it names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import addresses_in
from engine.mail.composer import Attachment as File
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.html_text import html_to_text
from engine.mail.mime.part_walker import walk
from engine.mail.mime.parts import MESSAGES, Part
from engine.registry.addresses.display_names import safe_display_name
from engine.storage import content
from engine.storage.models import Message
from portal.helpdesk import ticket_links
from portal.helpdesk.policies import MAX_TEXT_LENGTH

# Recipients searched for a reply address of ours, and Message-IDs for one of ours: both
# lists are the sender's, who may make them long.
MAX_RECIPIENTS = 100
MAX_IDS = 40

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
# The line from which on a mail program quotes the earlier message.
_QUOTE = re.compile(
    r"^(?:On .{1,200} wrote:|-{2,} ?Original Message ?-{2,}|_{20,}|>.*)$", re.IGNORECASE
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
    text: str = ""
    files: list[File] = field(default_factory=list)

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
    header, body = split(content.read(message))
    block = HeaderBlock.salvage(header)
    letter = IncomingMessage(
        header=block,
        sender=_address(message.from_address),
        name=safe_display_name(message.from_name, message.from_address),
        subject=message.subject,
        message_id=message.message_id,
    )
    parts = [part for part in walk(header, body) if not part.is_nested]
    letter.text = _text(parts)
    letter.files = [_file(part, n) for n, part in enumerate(parts, 1) if _is_file(part)]
    return letter


def address_key(text: str) -> str:
    """Returns the normalised form of an address; other text is only case-folded."""
    address = _address(text)
    return address.key if address else text.casefold()


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InvalidAddressError:
        return None


def _is_file(part: Part) -> bool:
    is_text = part.content_type in ("text/plain", "text/html")
    return part.is_attachment or not is_text


def _file(part: Part, number: int) -> File:
    ending = ".eml" if part.content_type in MESSAGES else ""
    name = part.filename or f"file-{number}{ending}"
    return File(name, part.content_type, part.data())


def _text(parts: list[Part]) -> str:
    shown = [part for part in parts if not _is_file(part)]
    plain = [part.text() for part in shown if part.content_type == "text/plain"]
    marked = [part.text() for part in shown if part.content_type == "text/html"]
    text = "\n\n".join(plain).strip() or html_to_text("\n".join(marked))
    text = text.replace("\r\n", "\n").replace("\0", "")
    return without_quotation(text)[:MAX_TEXT_LENGTH] or "(no text)"


def without_quotation(text: str) -> str:
    """Returns the text without the quotation that the mail program put at its end.

    Returns all of it where nothing else would be left.
    """
    lines = text.strip().splitlines()
    quoted_from = _start_of_quoted_tail(lines)
    for number, line in enumerate(lines):
        if number >= quoted_from or (_QUOTE.match(line) and not line.startswith(">")):
            return "\n".join(lines[:number]).strip() or text.strip()
    return text.strip()


def _start_of_quoted_tail(lines: list[str]) -> int:
    """Returns the index from which on all lines begin with ">" or are empty."""
    start = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith(">"):
            start = number
        elif lines[number].strip():
            break
    return start
