"""The files of a draft: scanned when they come, kept apart from the words."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.message_scan import ScannerUnavailable
from engine.audit.record import record
from engine.mail.composer import Attachment
from engine.mail.mime.file_names import canonical
from engine.queue.notifications import infection_alerts, upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import blob_store, content, message_actions
from engine.storage.models import Content, Message
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_lock import take_turn
from portal.webmail.models import DraftFile, FileState

# Files grow by a third and a little on their way (RFC 2045 §6.8).
ENCODED_SHARE = 0.73

FILES_LIMIT = 100
CHUNK = 256 * 1024

# A file is added before the words are saved for the first time, but not days before.
ORPHAN_AGE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it comes from a browser or out of another message."""

    name: str
    content_type: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file written down: where, its SHA-256, and its size in octets."""

    path: Path
    digest: str
    size: int


def size_limit() -> int:
    """Octets of files that fit into one message."""
    return int(settings.POSTERN.message_size_limit * ENCODED_SHARE)


def add(upload: Upload, *, mailbox: Mailbox, token: UUID, by: Person) -> DraftFile:
    """Scan a file and keep it with the draft. Raises PolicyError with what to show.

    The scan may take seconds, so nothing is locked meanwhile. Where the scanner cannot
    be reached the file is kept all the same: nothing leaves unscanned.
    """
    name = canonical(upload.name) or "file"
    spooled = _spooled(upload.chunks)
    try:
        examined = upload_scan.check_can_carry(
            spooled.path.read_bytes(),
            name=upload.name,
            content_type=upload.content_type,
        )
        state = _scanned(spooled.path, name, examined, mailbox, by=by)
        with transaction.atomic():
            _check_room(mailbox, token, spooled.size)
            return _kept(upload, spooled, state, mailbox=mailbox, token=token)
    finally:
        spooled.path.unlink(missing_ok=True)


def keep(upload: Upload, *, mailbox: Mailbox, token: UUID) -> DraftFile:
    """Keep a file that came out of a message here, where it was scanned before."""
    return _kept(
        upload, _spooled(upload.chunks), FileState.CLEAN, mailbox=mailbox, token=token
    )


@transaction.atomic
def remove(file_id: int, *, mailbox: Mailbox, token: UUID) -> str | None:
    """Take a file off the draft and return its name; None where it is not there."""
    row = DraftFile.objects.of(mailbox, token).filter(pk=file_id).first()
    if row is None:
        return None
    drop([row])
    return row.name


@transaction.atomic
def remove_all(mailbox: Mailbox, token: UUID) -> None:
    """Take every file off the draft."""
    drop(list(DraftFile.objects.of(mailbox, token)))


def attachments(mailbox: Mailbox, token: UUID) -> list[Attachment]:
    """The files of the draft with their octets, to send."""
    rows = DraftFile.objects.of(mailbox, token).select_related("content")
    return [
        Attachment(row.name, row.content_type, content.read(row.content))
        for row in rows
    ]


def drop(rows: list[DraftFile]) -> None:
    """Remove files with their octets, in the caller's transaction."""
    DraftFile.objects.filter(pk__in=[row.pk for row in rows]).delete()
    message_actions.drop_unheld([row.content_id for row in rows])


def sweep() -> int:
    """Remove old files whose draft was thrown away elsewhere; return how many."""
    removed = 0
    old = DraftFile.objects.filter(added_at__lt=timezone.now() - ORPHAN_AGE)
    for row in old.iterator(chunk_size=500):
        message_id = Draft(token=row.token).message_id
        kept = Message.objects.filter(mailbox_id=row.mailbox_id, message_id=message_id)
        if not kept.exists():
            with transaction.atomic():
                drop([row])
            removed += 1
    return removed


def _spooled(chunks: Iterable[bytes]) -> Spooled:
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(
        dir=blob_store.spool_folder(), delete=False
    ) as spool:
        for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
            spool.write(chunk)
    return Spooled(Path(spool.name), digest.hexdigest(), size)


def _kept(
    upload: Upload,
    spooled: Spooled,
    state: FileState,
    *,
    mailbox: Mailbox,
    token: UUID,
) -> DraftFile:
    kept = Content.objects.create(
        size=spooled.size,
        body_digest=spooled.digest,
        header=b"",
        blob_key=blob_store.adopt(spooled.path),
    )
    return DraftFile.objects.create(
        mailbox=mailbox,
        token=token,
        name=canonical(upload.name) or "file",
        content_type=upload.content_type[:127],
        content=kept,
        state=state,
    )


def _scanned(
    path: Path, name: str, examined: policy.Examined, mailbox: Mailbox, *, by: Person
) -> FileState:
    """What the scanner says. Raises PolicyError for an infected file, which goes."""
    try:
        verdict = message_scan.scan_file(_chunks(path))
        verdict = message_scan.scan_inner(examined.inner, verdict)
    except ScannerUnavailable:
        return FileState.UNSCANNED
    if not verdict.is_infected:
        with upload_scan.refused(name):
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
    infection_alerts.infected_file(path.read_bytes(), verdict=verdict, by=by)
    raise PolicyError(
        f"{name} was not added: the virus scanner found {verdict.signature} in it. "
        "Do not open it, and tell whoever gave it to you."
    )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _check_room(mailbox: Mailbox, token: UUID, size: int) -> None:
    take_turn(mailbox)
    rows = DraftFile.objects.of(mailbox, token)
    facts = rows.aggregate(count=Count("pk"), total=Sum("content__size", default=0))
    if facts["total"] + size > size_limit():
        total = filesizeformat(facts["total"] + size)
        raise PolicyError(
            f"The files are {total} together. One message carries at most "
            f"{filesizeformat(size_limit())}: send them in several."
        )
    if facts["count"] >= FILES_LIMIT:
        raise PolicyError(f"One message carries at most {FILES_LIMIT} files.")
