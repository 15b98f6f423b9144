"""Splits a message into header and body, and summarises it for lists of messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from engine.mail import lookalike
from engine.mail.address_list import named_addresses
from engine.mail.conversation import conversation_id
from engine.mail.dates import parse_date
from engine.mail.header import HeaderBlock

# Characters that the columns of storage.Message hold.
_MAX_SUBJECT = 300
_MAX_NAME = 200
_MAX_TO_SUMMARY = 300
_MAX_MESSAGE_ID = 300

_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list of messages shows of one message. Text is decoded and on one line.

    `date` is the sender's claim, None where malformed. `thread` is the same for all
    messages of a conversation.
    """

    subject: str
    from_name: str
    from_address: str
    to_summary: str
    message_id: str
    date: datetime | None
    thread: int


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Returns the header, with its closing empty line, and the body."""
    if raw.startswith(b"\r\n"):
        return raw[:2], raw[2:]
    end = raw.find(b"\r\n\r\n")
    if end >= 0:
        return raw[: end + 4], raw[end + 4 :]
    return raw + (b"\r\n" if raw.endswith(b"\r\n") else b"\r\n\r\n"), b""


def with_line_ends(raw: bytes) -> bytes:
    """Returns the message with CR LF for each bare LF, where programs break lines too."""
    if raw.count(b"\n") == raw.count(b"\r\n"):
        return raw
    return _BARE_LINE_FEED.sub(b"\r\n", raw)


def summarise(header: HeaderBlock) -> Summary:
    """Returns the summary of a parsed header; never raises."""
    sender = _sender(header)
    return Summary(
        subject=header.text("Subject")[:_MAX_SUBJECT],
        from_name=sender[0][:_MAX_NAME],
        from_address=sender[1],
        to_summary=_to_summary(header),
        message_id=_message_id(header)[:_MAX_MESSAGE_ID],
        date=parse_date(header.text("Date")),
        thread=conversation_id(header),
    )


def _sender(header: HeaderBlock) -> tuple[str, str]:
    field = header.get("From")
    if not field:
        return "", ""
    named = next(named_addresses(field.value), None)
    if named is None:
        return lookalike.displayable(field.text), ""
    return named.name, str(named.address)


def _to_summary(header: HeaderBlock) -> str:
    field = header.get("To")
    if not field:
        return ""
    names: list[str] = []
    length = 0
    for named in named_addresses(field.value):
        names.append(named.name or str(named.address))
        length += len(names[-1]) + 2
        if length > _MAX_TO_SUMMARY:
            break
    return (", ".join(names) if names else field.text)[:_MAX_TO_SUMMARY]


def _message_id(header: HeaderBlock) -> str:
    text = header.text("Message-ID")
    found = _MESSAGE_ID.search(text)
    return found[0] if found else text
