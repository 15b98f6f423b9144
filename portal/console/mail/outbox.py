"""The outbox: notices that in development are written to a folder instead of being sent.

The service writes them, but quotes what strangers typed: they are shown as text, never
as HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.charset import on_one_line
from engine.mail.reading import reader
from engine.mail.reading.as_text import as_text
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.page import render_template

ICON = "mail"
TITLE = "Outbox"
LISTED = 200
OCTETS_READ = 2 * 1024 * 1024
CHARACTERS_SHOWN = 100_000


class NoSuchNoticeError(Exception):
    """The outbox has no notice of this name."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message in the outbox, as the list shows it."""

    name: str
    written_at: datetime
    recipient: str
    subject: str


@dataclass(frozen=True, slots=True)
class OpenNotice:
    """One message in the outbox, as its page shows it."""

    notice: Notice
    sender: str
    text: str
    is_cut: bool
    files: tuple[str, ...]


@staff(Permission.VIEW_OUTBOX)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The newest notices first, one page of them."""
    _check_is_used()
    return render_template(request, "outbox", TITLE, ICON, {"notices": newest()})


@staff(Permission.VIEW_OUTBOX)
@require_GET
def show(request: HttpRequest, name: str) -> HttpResponse:
    """One notice, as text."""
    _check_is_used()
    try:
        found = read(name)
    except NoSuchNoticeError as error:
        raise Http404 from error
    return render_template(
        request,
        "outbox_message",
        found.notice.subject or "Notice",
        ICON,
        {"open": found},
        above=(("console:outbox", TITLE),),
    )


def _check_is_used() -> None:
    if not is_used():
        raise Http404


def is_used() -> bool:
    """False where notices are really sent: in production, or through a smart host."""
    return settings.POSTERN.env != "production" and not settings.POSTERN.smarthost


def count() -> int:
    """Returns how many notices are in the outbox."""
    return sum(1 for _ in _folder().glob("*.eml"))


def newest() -> list[Notice]:
    """Returns the newest notices first, up to LISTED."""
    paths = sorted(_folder().glob("*.eml"), key=_written, reverse=True)
    return [_notice(path, _header(path)) for path in islice(paths, LISTED)]


def read(name: str) -> OpenNotice:
    """Opens one notice. Raises NoSuchNoticeError.

    The name comes from a URL: it is compared with the folder's files, and never joined
    to a path.
    """
    path = next((path for path in _folder().glob("*.eml") if path.name == name), None)
    if path is None:
        raise NoSuchNoticeError(name)
    with path.open("rb") as file:
        header, body = split(file.read(OCTETS_READ))
    block = HeaderBlock.salvage(header)
    reading = reader.read(header, body)
    text = as_text(reading)
    return OpenNotice(
        notice=_notice(path, block),
        sender=block.text("From"),
        text=text[:CHARACTERS_SHOWN],
        is_cut=len(text) > CHARACTERS_SHOWN or path.stat().st_size > OCTETS_READ,
        files=tuple(
            reader.name_of(part)
            for part in (*(item.part for item in reading.offered), *reading.pictures)
        ),
    )


def _folder() -> Path:
    path: Path = settings.POSTERN.path("outbox")
    return path


def _written(path: Path) -> float:
    return path.stat().st_mtime


def _header(path: Path) -> HeaderBlock:
    with path.open("rb") as file:
        return HeaderBlock.salvage(split(file.read(OCTETS_READ))[0])


def _notice(path: Path, header: HeaderBlock) -> Notice:
    recipient = header.text("X-Envelope-To") or header.text("To")
    return Notice(
        name=path.name,
        written_at=datetime.fromtimestamp(_written(path), UTC),
        recipient=on_one_line(recipient),
        subject=header.text("Subject"),
    )
