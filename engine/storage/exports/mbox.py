"""Writes a folder in the mboxrd variant of mbox.

It quotes every line of a body that looks like the start of a message, so that no content
can begin one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from engine.encryption.errors import UnreadableError
from engine.storage import content, message_actions
from engine.storage.models import FirstUse, Folder, Message

log = logging.getLogger(__name__)

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]


def messages_of(folder: Folder, *, after: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yields the id and the mbox text of each message after `after`, in order of id.

    The text includes the From line before the message and the empty line after it. One
    message is in memory at a time.
    """
    # One query for each message, so that one is in memory, however large the folder.
    rows = Message.objects.filter(folder=folder).select_related("content", "mailbox")
    while message := rows.filter(pk__gt=after).order_by("pk").first():
        after = message.pk
        if not message_actions.note_use([message], FirstUse.FETCHED):
            continue
        text = _FROM.sub(rb">\1", _octets(message).replace(b"\r\n", b"\n"))
        yield message.pk, _from_line(message) + text.rstrip(b"\n") + b"\n\n"


def _octets(message: Message) -> bytes:
    try:
        return content.read(message)
    except (FileNotFoundError, UnreadableError):
        # The export goes on: one lost blob must not cost the holder all other messages.
        log.exception("the body of message %s is gone", message.pk)
        return _header(message)


def _header(message: Message) -> bytes:
    try:
        return content.header(message)
    except UnreadableError:
        return b"Subject: (this message cannot be read)\r\n\r\n"


def _from_line(message: Message) -> bytes:
    sender = message.envelope_sender or "MAILER-DAEMON"
    return f"From {sender} {_asctime(message.received_at)}\n".encode()


def _asctime(moment: datetime) -> str:
    """Formats a time as C's asctime() does, whatever the locale."""
    utc = moment.astimezone(UTC)
    day, month = _DAYS[utc.weekday()], _MONTHS[utc.month - 1]
    return f"{day} {month} {utc.day:2} {utc:%H:%M:%S} {utc.year}"
