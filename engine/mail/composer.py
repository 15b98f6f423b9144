"""Composes new messages (RFC 5322 §3.6, RFC 2046 §5.1)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from engine.mail.address_list import NamedAddress
from engine.mail.dates import format_date
from engine.mail.header import Field, new_field
from engine.mail.mime import entities
from engine.mail.mime.encoded_words import fold
from engine.mail.mime.entities import Attachment, Entity, Picture

__all__ = ["Attachment", "Picture", "address_field", "compose", "new_message_id"]

# Enough to keep a thread together (RFC 5322 §3.6.4 sets no limit).
MAX_REFERENCES = 30

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
# Fields that `compose` writes itself.
_OWN = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
    ]
)


def compose(
    *,
    sender: NamedAddress,
    to: Sequence[NamedAddress],
    cc: Sequence[NamedAddress] = (),
    subject: str,
    text: str,
    html: str | None = None,
    pictures: Sequence[Picture] = (),
    attachments: Sequence[Attachment] = (),
    in_reply_to: str = "",
    references: str = "",
    extra_headers: Mapping[str, str] | None = None,
    message_id: str | None = None,
    date: datetime | None = None,
) -> bytes:
    """Returns a new message, its lines ended with CR LF.

    With `html`, `text` is its plain alternative, and `pictures` are those that it shows. Without `message_id` and `date`, it
    gets a new one and the present time. No value can inject another field: controls
    become spaces. Raises ValueError for an extra header that is not a field name or that
    this function writes itself, and for an invalid Message-ID or date.
    """
    message_id = message_id or new_message_id(sender.address.domain)
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("This is not a Message-ID")
    fields = [
        address_field("From", [sender]),
        *(address_field(name, who) for name, who in (("To", to), ("Cc", cc)) if who),
        new_field("Subject", subject),
        new_field("Date", format_date(date or datetime.now(UTC))),
        new_field("Message-ID", message_id),
        *_thread(in_reply_to, references),
        *_extra(extra_headers or {}),
        new_field("MIME-Version", "1.0"),
    ]
    content = _content(text, html, pictures, attachments)
    return Entity((*fields, *content.fields), content.body).to_bytes()


def new_message_id(domain: str) -> str:
    """Returns a new, globally unique Message-ID (RFC 5322 §3.6.4)."""
    return f"<{secrets.token_hex(16)}@{domain}>"


def address_field(name: str, people: Sequence[NamedAddress]) -> Field:
    """Returns an address field, with one address on each line."""
    value = ",\r\n ".join(fold(str(person), len(name) + 2) for person in people)
    return Field(name, f"{name}: {value}\r\n".encode())


def _thread(in_reply_to: str, references: str) -> Iterator[Field]:
    for name, text in (("In-Reply-To", in_reply_to), ("References", references)):
        # The first reference names the start of the thread, the last ones the nearest
        # messages: those are kept (RFC 5537 §3.4.4 trims in the same way).
        found = _MESSAGE_ID.findall(text)
        kept = found[:1] + found[1:][1 - MAX_REFERENCES :]
        if kept:
            yield new_field(name, " ".join(kept))


def _extra(headers: Mapping[str, str]) -> Iterator[Field]:
    for name, value in headers.items():
        if name.lower() in _OWN:
            raise ValueError(f"{name} is not an extra header")
        yield new_field(name, value)


def _content(
    text: str,
    html: str | None,
    pictures: Sequence[Picture],
    attachments: Sequence[Attachment],
) -> Entity:
    content = entities.text(text)
    if html is not None:
        layout = entities.text(html, "html")
        if pictures:
            parts = [layout, *map(entities.picture, pictures)]
            # RFC 2387 §3.1: the type is that of the first part.
            layout = entities.multipart("related", parts, type="text/html")
        alternatives = [content, layout]
        content = entities.multipart("alternative", alternatives)
    if attachments:
        files = map(entities.attachment, attachments)
        content = entities.multipart("mixed", [content, *files])
    return content
