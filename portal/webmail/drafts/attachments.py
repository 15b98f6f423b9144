"""Attachments of drafts: scanned when they are uploaded, stored beside the text."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.message_scan import ScannerUnavailable
from engine.audit.record import record
from engine.blobs import store
from engine.linked_files import sending
from engine.linked_files.models import LinkedFile
from engine.mail.composer import Attachment, Picture
from engine.mail.mime.file_names import canonical
from engine.queue.notifications import infection_alerts, upload_scan
from engine.queue.preflight import message_size
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import content, message_actions
from engine.storage.models import Message
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_lock import lock_drafts
from portal.webmail.models import DraftFile, FileState

# Attachments of one draft.
FILES_LIMIT = 100
CHUNK = 256 * 1024

# An attachment may be added before its draft is first saved, but not days before.
ORPHAN_AGE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file from a browser or from another message."""

    name: str
    content_type: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A file on disk with its SHA-256 and its size in octets."""

    path: Path
    digest: str
    size: int


def add(
    upload: Upload, *, mailbox: Mailbox, token: UUID, by: Person, picture_id: str = ""
) -> DraftFile:
    """Scans a file and stores it with the draft.

    The scan may take seconds, so it holds no lock. If the scanner cannot be reached the
    file is stored all the same: sending scans the whole message again. Raises
    PolicyError with the sentence to show if the file is infected, forbidden or too
    large.
    """
    name = canonical(upload.name) or "file"
    spooled = _spool(upload.chunks)
    try:
        examined = upload_scan.check_can_carry(
            spooled.path.read_bytes(),
            name=upload.name,
            content_type=upload.content_type,
        )
        state = _scan(spooled.path, name, examined, mailbox, by=by)
        with transaction.atomic():
            _check_room(mailbox, token, spooled.size)
            row = DraftFile(
                mailbox=mailbox, token=token, state=state, picture_id=picture_id
            )
            return _store(upload, spooled, row)
    finally:
        spooled.path.unlink(missing_ok=True)


def add_all_scanned(
    files: Iterable[Attachment],
    pictures: Iterable[Picture],
    *,
    mailbox: Mailbox,
    token: UUID,
) -> None:
    """Stores files and pictures from a message that was scanned when it arrived."""
    named = [(one, "") for one in files]
    named += [(one.file, one.content_id) for one in pictures]
    for file, picture_id in named:
        row = DraftFile(
            mailbox=mailbox, token=token, state=FileState.CLEAN, picture_id=picture_id
        )
        upload = Upload(file.name, file.content_type, [file.data])
        _store(upload, _spool(upload.chunks), row)


def copy_all(mailbox: Mailbox, token: UUID, *, to: UUID) -> None:
    """Copies the files of one draft that another does not have yet.

    The stored octets are shared, so that large files take no time under the lock.
    """
    rows = DraftFile.objects.select_related("content", "mailbox")
    had = {_identity(row) for row in rows.of(mailbox, to)}
    for row in rows.of(mailbox, token):
        if _identity(row) not in had:
            holder = row.content_holder
            shared = content.with_header(row, b"")
            row.pk, row.token = None, to
            row.content = content.save(shared, holder=holder)
            row.save(force_insert=True)


def _identity(row: DraftFile) -> tuple[str, str, int, str]:
    """Tells the files of a draft apart, and a copy from others than its original."""
    return row.name, row.picture_id, row.size, row.content.body_digest


@transaction.atomic
def remove(file_id: int, *, mailbox: Mailbox, token: UUID) -> str | None:
    """Removes an attachment and returns its name, or None if it is not there."""
    row = DraftFile.objects.of(mailbox, token).filter(pk=file_id).first()
    if row is None:
        return None
    delete([row])
    return row.name


@transaction.atomic
def remove_all(mailbox: Mailbox, token: UUID) -> None:
    """Removes every attachment of a draft, and its files that are sent as links."""
    delete(list(DraftFile.objects.of(mailbox, token)))
    sending.remove_all(mailbox, token)


def load(
    mailbox: Mailbox, token: UUID, *, is_rich: bool = False, shown: Collection[str] = ()
) -> tuple[list[Attachment], list[Picture]]:
    """Returns the attachments of a draft, and the pictures in its text, with content.

    `shown` are the Content-IDs that the text refers to. A picture that it no longer shows
    is left out, except of plain text, where pictures are attachments.
    """
    rows = DraftFile.objects.of(mailbox, token).select_related("content", "mailbox")
    files, pictures = [], []
    for row in rows:
        if row.is_picture and is_rich and row.picture_id not in shown:
            continue
        file = Attachment(row.name, row.content_type, content.read(row))
        if row.picture_id in shown:
            pictures.append(Picture(file, row.picture_id))
        else:
            files.append(file)
    return files, pictures


def delete(rows: list[DraftFile]) -> None:
    """Deletes attachments and their content, in the caller's transaction."""
    DraftFile.objects.filter(pk__in=[row.pk for row in rows]).delete()
    message_actions.delete_unreferenced([row.content_id for row in rows])


def delete_orphans() -> int:
    """Deletes old attachments without a draft; returns how many.

    A draft may have been deleted from a list of messages, or by the retention period.
    """
    removed = 0
    before = timezone.now() - ORPHAN_AGE
    for row in DraftFile.objects.filter(added_at__lt=before).iterator(chunk_size=500):
        if not _has_draft(row):
            with transaction.atomic():
                delete([row])
            removed += 1
    linked = LinkedFile.objects.filter(reference="", added_at__lt=before)
    for file in linked.iterator(chunk_size=500):
        if not _has_draft(file):
            removed += sending.remove(file.pk, mailbox=file.mailbox, token=file.token)
    return removed


def _has_draft(row: DraftFile | LinkedFile) -> bool:
    message_id = Draft(token=row.token).message_id
    kept = Message.objects.filter(mailbox_id=row.mailbox_id, message_id=message_id)
    return kept.exists()


def _spool(chunks: Iterable[bytes]) -> SpooledFile:
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=store.spool_folder(), delete=False) as spool:
        for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
            spool.write(chunk)
    return SpooledFile(Path(spool.name), digest.hexdigest(), size)


def _store(upload: Upload, spooled: SpooledFile, row: DraftFile) -> DraftFile:
    """Saves the row of a file with its content."""
    kept = content.adopted(b"", spooled.path, spooled.size, spooled.digest)
    row.name = canonical(upload.name) or "file"
    row.content_type = upload.content_type[:127]
    row.content = content.save(kept, holder=row.mailbox.organisation_id)
    row.save()
    return row


def _scan(
    path: Path, name: str, examined: policy.Examined, mailbox: Mailbox, *, by: Person
) -> FileState:
    """Returns the scan's outcome. Quarantines an infected file and raises PolicyError."""
    try:
        verdict = message_scan.scan_file(_chunks(path))
        verdict = message_scan.scan_inner(examined.inner, verdict)
    except ScannerUnavailable:
        return FileState.UNSCANNED
    if not verdict.is_infected:
        with upload_scan.as_policy_error(name):
            is_read = not policy.unscanned(examined, verdict)
        return FileState.CLEAN if is_read else FileState.ENCRYPTED
    detail = {"file": name, "signature": verdict.signature}
    record(
        "webmail.infected_file_refused",
        mailbox,
        organisation_key=mailbox.organisation_id,
        detail=detail,
        by=by,
    )
    infection_alerts.report_infected_file(path.read_bytes(), verdict=verdict, by=by)
    raise PolicyError(
        f"{name} was not added: the virus scanner found {verdict.signature} in it. "
        "Do not open it, and warn the person who gave it to you."
    )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _check_room(mailbox: Mailbox, token: UUID, size: int) -> None:
    lock_drafts(mailbox)
    rows = DraftFile.objects.of(mailbox, token)
    facts = rows.aggregate(count=Count("pk"), total=Sum("content__size", default=0))
    if facts["total"] + size > message_size.files_limit():
        total = filesizeformat(facts["total"] + size)
        raise PolicyError(
            f"The attachments are {total} in total. One message carries at most "
            f"{filesizeformat(message_size.files_limit())}: send several messages."
        )
    if facts["count"] >= FILES_LIMIT:
        raise PolicyError(f"One message carries at most {FILES_LIMIT} files.")
