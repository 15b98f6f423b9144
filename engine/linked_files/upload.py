"""Takes a file for a link: streamed to disk, judged, scanned, and stored."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import transaction

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.clamd import TooLargeError
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict
from engine.audit.record import lock_chain, record
from engine.blobs import store
from engine.blobs.interface import Kind
from engine.linked_files import limits, sending
from engine.linked_files.models import LinkedFile, ScanState
from engine.mail.mime.file_names import canonical
from engine.queue.notifications import infection_alerts, upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import content

CHUNK = 256 * 1024
# How clamd names what is over its own limits (AlertExceedsMax): no virus was found.
OVER_LIMITS = "Heuristics.Limits.Exceeded"
# Our own inspection reads a file whole. One at a time, so that a process never holds more
# than one of them in memory.
_inspecting = threading.Lock()
# Files that a process examines at one time: each takes a web thread for minutes, and what
# is inside it stays in memory.
EXAMINED_AT_ONCE = 2
examining = threading.BoundedSemaphore(EXAMINED_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file on disk with its SHA-256 and its size in octets."""

    path: Path
    digest: str
    size: int


def add(
    name: str,
    content_type: str,
    chunks: Iterable[bytes],
    *,
    mailbox: Mailbox,
    token: UUID,
    by: Person,
) -> LinkedFile:
    """Adds a file to a draft of a mailbox, to be sent as a link.

    The scan may take minutes, so call it outside every transaction. Raises PolicyError
    with the sentence to show if the file is too large, infected, forbidden, or was not
    scanned.
    """
    name = canonical(name) or "file"
    spooled = _spool(name, chunks)
    try:
        limits.check_size(name, spooled.size)
        limits.check_room(name, spooled.size, by=by, mailbox=mailbox)
        with _place(name):
            state = _examine(spooled, name, content_type, mailbox, by=by)
        return _store(spooled, name, state, mailbox, token, by=by)
    finally:
        spooled.path.unlink(missing_ok=True)


def _spool(name: str, chunks: Iterable[bytes]) -> Spooled:
    """Writes a file to disk, and stops where it is too large."""
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=store.spool_folder(), delete=False) as file:
        path = Path(file.name)
        try:
            for chunk in chunks:
                size += len(chunk)
                if size > limits.file_limit():
                    limits.check_size(name, size)
                digest.update(chunk)
                file.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return Spooled(path, digest.hexdigest(), size)


@contextmanager
def _place(name: str) -> Iterator[None]:
    """Takes one of the places for examining a file. Raises PolicyError, without waiting."""
    if not examining.acquire(blocking=False):
        raise PolicyError(
            f"{name} was not added: others are uploading large files at the moment. Try "
            "again in a minute."
        )
    try:
        yield
    finally:
        examining.release()


def _examine(
    spooled: Spooled, name: str, content_type: str, mailbox: Mailbox, *, by: Person
) -> ScanState:
    """Returns the outcome of policy and scan. Raises PolicyError."""
    with _inspecting:
        examined = upload_scan.check_can_carry(
            spooled.path.read_bytes(), name=name, content_type=content_type
        )
    try:
        verdict = message_scan.scan_file(_chunks(spooled.path))
        verdict = message_scan.scan_inner(examined.inner, verdict)
    except TooLargeError as error:
        raise _not_taken(name) from error
    except ScannerUnavailable as error:
        raise PolicyError(
            f"{name} was not added: files cannot be scanned for viruses at the moment. "
            "Try again in a few minutes."
        ) from error
    if verdict.signature.startswith(OVER_LIMITS):
        raise _not_taken(name)
    if verdict.is_infected:
        raise _infected(spooled, name, verdict, mailbox, by=by)
    with upload_scan.as_policy_error(name):
        is_read = not policy.unscanned(examined, verdict)
    return ScanState.CLEAN if is_read else ScanState.ENCRYPTED


def _not_taken(name: str) -> PolicyError:
    return PolicyError(
        f"{name} was not added: the virus scanner does not take a file of its size, or "
        "with so much in it. Divide it into several files."
    )


def _infected(
    spooled: Spooled, name: str, verdict: Verdict, mailbox: Mailbox, *, by: Person
) -> PolicyError:
    """Quarantines an infected file, alerts, and returns the refusal."""
    record(
        "linked_file.infected",
        mailbox,
        organisation_key=mailbox.organisation_id,
        detail={"file": name, "signature": verdict.signature},
        by=by,
    )
    with spooled.path.open("rb") as file:
        infection_alerts.report_infected_file(file, verdict=verdict, by=by)
    return PolicyError(
        f"{name} was not added: the virus scanner found {verdict.signature} in it. "
        "Do not open it, and warn the person who gave it to you."
    )


def _store(
    spooled: Spooled,
    name: str,
    state: ScanState,
    mailbox: Mailbox,
    token: UUID,
    *,
    by: Person,
) -> LinkedFile:
    # Before the transaction: a large blob takes long to reach the disk, or S3.
    kept = content.adopted(b"", spooled.path, spooled.size, spooled.digest)
    try:
        with transaction.atomic():
            lock_chain()  # one at a time, so that no two use the same room
            limits.check_room(name, spooled.size, by=by, mailbox=mailbox)
            if _count(mailbox, token) >= limits.MOST_FILES:
                raise PolicyError(
                    f"One message has at most {limits.MOST_FILES} files as links."
                )
            file = LinkedFile.objects.create(
                secret=sending.new_secret(),
                mailbox=mailbox,
                token=token,
                organisation_id=mailbox.organisation_id,
                person=by,
                name=name,
                size=spooled.size,
                content=content.save(kept, holder=mailbox.organisation_id),
                state=state,
            )
            record(
                "linked_file.added",
                file,
                organisation_key=mailbox.organisation_id,
                detail={"size": file.size, "mailbox": mailbox.address},
                by=by,
            )
            return file
    except PolicyError:
        # After any other error the row may be committed: the sweep finds out.
        store.discard(Kind.BODY, kept.blob_key)
        raise


def _count(mailbox: Mailbox, token: UUID) -> int:
    return LinkedFile.objects.of_draft(mailbox, token).count()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
