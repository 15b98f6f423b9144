"""Reads the notices that in development go into a folder instead of to their readers.

What is in them was written by the service, but about what strangers typed: it is shown
as text, never as HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from django.conf import settings

from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.charset import on_one_line
from engine.mail.mime.part_walker import walk
from engine.mail.mime.parts import Part

MOST_LISTED = 200
MOST_READ = 2 * 1024 * 1024  # octets
MOST_SHOWN = 100_000  # characters


class NoSuchNoticeError(Exception):
    """No notice of the name is in the outbox."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message in the outbox, as a list shows it."""

    name: str
    written_at: datetime
    recipient: str
    subject: str


@dataclass(frozen=True, slots=True)
class OpenNotice:
    """One message in the outbox, as a page shows it."""

    notice: Notice
    sender: str
    text: str
    files: tuple[str, ...]


def is_used() -> bool:
    """False where notices go to their readers: in production, or by a smart host."""
    return settings.POSTERN.env != "production" and not settings.POSTERN.smarthost


def count() -> int:
    return sum(1 for _ in _folder().glob("*.eml"))


def newest() -> list[Notice]:
    """The newest notices first, no more than a page of them."""
    paths = sorted(_folder().glob("*.eml"), key=_written, reverse=True)
    return [_notice(path, _header(path)) for path in islice(paths, MOST_LISTED)]


def read(name: str) -> OpenNotice:
    """Open one notice. Raises NoSuchNoticeError."""
    path = next((path for path in _folder().glob("*.eml") if path.name == name), None)
    if path is None:
        raise NoSuchNoticeError(name)
    with path.open("rb") as file:
        header, body = split(file.read(MOST_READ))
    block = HeaderBlock.salvage(header)
    parts = list(walk(header, body))
    return OpenNotice(
        notice=_notice(path, block),
        sender=block.text("From"),
        text=_text(parts)[:MOST_SHOWN],
        files=tuple(part.filename for part in parts if part.is_attachment),
    )


def _folder() -> Path:
    path: Path = settings.POSTERN.path("outbox")
    return path


def _written(path: Path) -> float:
    return path.stat().st_mtime


def _header(path: Path) -> HeaderBlock:
    with path.open("rb") as file:
        return HeaderBlock.salvage(split(file.read(MOST_READ))[0])


def _notice(path: Path, header: HeaderBlock) -> Notice:
    recipient = header.text("X-Envelope-To") or header.text("To")
    return Notice(
        name=path.name,
        written_at=datetime.fromtimestamp(_written(path), UTC),
        recipient=on_one_line(recipient),
        subject=header.text("Subject"),
    )


def _text(parts: list[Part]) -> str:
    shown = [part for part in parts if not part.is_attachment]
    plain = next((part for part in shown if part.content_type == "text/plain"), None)
    return plain.text() if plain else ""
