"""Files attached to tickets: scanned for viruses, then stored with their entry."""

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

# For what is uploaded with a form.
MAX_FILES = 10
MAX_TOTAL_BYTES = 20 * 1024 * 1024  # of all files of one entry

_HEADER = b"Content-Type: application/octet-stream\r\n\r\n"
_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScannedFiles:
    """Files that passed the virus scanner. Only this module creates instances.

    As a type of its own it makes sure that no unscanned file reaches `store`.
    """

    files: tuple[File, ...] = ()


NO_FILES = ScannedFiles()


def scan(files: Sequence[File], *, by: Person | None) -> ScannedFiles:
    """Scans files and returns them; `by` is None for a visitor without an account.

    Raises PolicyError with the message to show, for files that are too many, too
    large, of a forbidden kind or infected. A scan may take seconds: do not call this
    inside a transaction.
    """
    if len(files) > MAX_FILES:
        raise PolicyError(f"Add at most {MAX_FILES} files.")
    if sum(len(file.data) for file in files) > MAX_TOTAL_BYTES:
        raise PolicyError("The files are larger than 20 MB in total. Add fewer.")
    for file in files:
        upload_scan.check_can_carry(
            file.data, name=file.name, content_type=file.content_type
        )
    for file in files:
        upload_scan.check_is_clean(
            file.data, name=file.name, content_type=file.content_type, by=by
        )
    return ScannedFiles(tuple(files))


def from_mail(files: Iterable[File]) -> ScannedFiles:
    """Returns all files of a message, whose number and size were bounded at its arrival.

    They are not scanned again: the whole message was, when it was accepted.
    """
    return ScannedFiles(tuple(files))


def store(entry: Entry, scanned: ScannedFiles) -> None:
    """Stores the files with their entry, in the caller's transaction."""
    for file in scanned.files:
        row = content.save(
            content.keep(_HEADER, file.data, has_attachments=False),
            holder=Attachment.content_holder,
        )
        is_type = _TYPE.fullmatch(file.content_type or "")
        Attachment.objects.create(
            entry=entry,
            name=safe_name(file.name),
            content_type=file.content_type if is_type else "application/octet-stream",
            size=len(file.data),
            content=row,
        )


def read(attachment: Attachment) -> bytes:
    """Returns the bytes of the file, unchanged."""
    with content.open_body(attachment) as body:
        return body.read()


def safe_name(name: str) -> str:
    """Returns the name without folders, control and invisible characters."""
    return canonical(name) or "file"
