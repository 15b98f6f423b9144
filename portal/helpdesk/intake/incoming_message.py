"""A message to the helpdesk, read: who writes, what, and about which ticket."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import addresses_in
from engine.mail.composer import Attachment as File
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.html_text import words_of
from engine.mail.mime.parts import MESSAGES, Part, walk
from engine.registry.display_names import fit_to_show
from engine.storage import content
from engine.storage.models import Message
from portal.helpdesk import ticket_links
from portal.helpdesk.policies import LONGEST_TEXT

# Recipients looked through for an address of ours.
MOST_RECIPIENTS = 100
MOST_IDS = 40

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
# Where a mail program begins to repeat what was written before.
_QUOTE = re.compile(
    r"^(?:On .{1,200} wrote:|-{2,} ?Original Message ?-{2,}|_{20,}|>.*)$", re.IGNORECASE
)
_BULK = {"bulk", "junk", "list", "auto_reply"}


@dataclass(slots=True)
class Letter:
    """What the helpdesk needs of a message."""

    header: HeaderBlock
    sender: Address | None
    name: str
    subject: str
    message_id: str
    text: str = ""
    files: list[File] = field(default_factory=list)

    @property
    def robot(self) -> str:
        """Why no person wrote this; empty where one may have (RFC 3834 §2)."""
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
        # RFC 6522: some programs send receipts from their user's own address.
        kind = self.header.text("Content-Type").partition(";")[0]
        return kind.strip().casefold() == "multipart/report"

    @property
    def ticket_by_address(self) -> int | None:
        """The ticket whose signed address the message was sent to."""
        for name in ("To", "Cc", "Delivered-To", "X-Original-To"):
            for one in self.header.all(name):
                for named in addresses_in(one.value)[:MOST_RECIPIENTS]:
                    found = ticket_links.ticket_of_address(named.address)
                    if found is not None:
                        return found
        return None

    @property
    def answered_ids(self) -> list[str]:
        """The messages that this one answers."""
        text = f"{self.header.text('In-Reply-To')} {self.header.text('References')}"
        return _MESSAGE_ID.findall(text)[-MOST_IDS:]


def read(message: Message) -> Letter:
    """Take a stored message apart, whatever its sender put in."""
    header, body = split(content.read(message.content))
    block = HeaderBlock.salvage(header)
    letter = Letter(
        header=block,
        sender=_address(message.from_address),
        name=fit_to_show(message.from_name, message.from_address),
        subject=message.subject,
        message_id=message.message_id,
    )
    parts = [part for part in walk(header, body) if not part.is_nested]
    letter.text = _text(parts)
    letter.files = [_file(part, n) for n, part in enumerate(parts, 1) if _is_file(part)]
    return letter


def key_of(text: str) -> str:
    """The form under which a sender is found; text that is no address stays itself."""
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
    text = "\n\n".join(plain).strip() or words_of("\n".join(marked))
    text = text.replace("\r\n", "\n").replace("\0", "")
    return fresh_part(text)[:LONGEST_TEXT] or "(no text)"


def fresh_part(text: str) -> str:
    """The text without what the mail program repeats at its end.

    All of it, where nothing else would be left.
    """
    lines = text.strip().splitlines()
    marked = _start_of_marked(lines)
    for number, line in enumerate(lines):
        if number >= marked or (_QUOTE.match(line) and not line.startswith(">")):
            return "\n".join(lines[:number]).strip() or text.strip()
    return text.strip()


def _start_of_marked(lines: list[str]) -> int:
    """Where at the end nothing follows but lines marked as written before."""
    start = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith(">"):
            start = number
        elif lines[number].strip():
            break
    return start
