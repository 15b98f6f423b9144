"""Files that come with a ticket: looked at by the scanner before they are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.mail.composer import Attachment as File
from engine.mail.mime.file_names import canonical
from engine.queue.notifications import upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage import content
from portal.helpdesk.models import Attachment, Entry

MOST_FILES = 10
MOST_OCTETS = 20 * 1024 * 1024  # of all files of one entry together

_HEADER = b"Content-Type: application/octet-stream\r\n\r\n"
_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checked:
    """Files that the scanner has seen. Only this module makes one."""

    files: tuple[File, ...] = ()


NONE = Checked()


def checked(files: Sequence[File], *, by: Person | None) -> Checked:
    """The files, once there is nothing against them; `by` is None for a stranger.

    Raises PolicyError with the sentence to show, for files that are too many, too
    large, of a forbidden kind or infected. The scan may take seconds: call it outside
    every transaction.
    """
    if len(files) > MOST_FILES:
        raise PolicyError(f"Add no more than {MOST_FILES} files.")
    if sum(len(file.data) for file in files) > MOST_OCTETS:
        raise PolicyError("The files are larger than 20 MB together. Add fewer.")
    for file in files:
        upload_scan.check_can_carry(
            file.data, name=file.name, content_type=file.content_type
        )
    for file in files:
        upload_scan.check_is_clean(
            file.data, name=file.name, content_type=file.content_type, by=by
        )
    return Checked(tuple(files))


def from_mail(files: Iterable[File]) -> tuple[Checked, int]:
    """Those files of a message that fit, and how many do not.

    The message was scanned on its way here.
    """
    kept: list[File] = []
    room, left_out = MOST_OCTETS, 0
    for file in files:
        if len(kept) < MOST_FILES and len(file.data) <= room:
            room -= len(file.data)
            kept.append(file)
        else:
            left_out += 1
    return Checked(tuple(kept)), left_out


def keep(entry: Entry, checked: Checked) -> None:
    """Keep the files with their entry, in the caller's transaction."""
    for file in checked.files:
        row = content.row(content.keep(_HEADER, file.data))
        row.save(force_insert=True)
        is_type = _TYPE.fullmatch(file.content_type or "")
        Attachment.objects.create(
            entry=entry,
            name=safe_name(file.name),
            content_type=file.content_type if is_type else "application/octet-stream",
            size=len(file.data),
            content=row,
        )


def read(attachment: Attachment) -> bytes:
    """The bytes of the file, as they came."""
    with content.open_body(attachment.content) as body:
        return body.read()


def safe_name(name: str) -> str:
    """A name without folders, controls and hidden characters."""
    return canonical(name) or "file"
