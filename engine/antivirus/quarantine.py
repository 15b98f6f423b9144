"""Keeps copies of infected content for operators alone, and deletes them after a time.

A copy is never released: the only action on it is to delete it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict
from engine.audit.record import record
from engine.database import batches
from engine.mail.envelope import Envelope
from engine.registry.models import Actor
from engine.secrets import state_folder

CHUNK = 64 * 1024  # octets
UNRECORDED = 24 * 60 * 60.0  # seconds that a copy may exist without its row
_AT_ONCE = 500  # files looked up with one query


@dataclass(frozen=True, slots=True)
class Copy:
    """A file in quarantine, with its size in octets and its SHA-256."""

    name: str
    size: int
    digest: str


@contextmanager
def copied(content: IO[bytes]) -> Iterator[Copy]:
    """Copies the rest of `content` into quarantine; deletes the copy if the block fails.

    Call it outside any transaction: a large copy takes long to reach the disk.
    """
    path = folder() / secrets.token_hex(16)
    try:
        size, digest = _copy(content, path)
        yield Copy(path.name, size, digest)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def keep(
    copy: Copy,
    *,
    reference: str,
    verdict: Verdict,
    envelope: Envelope,
    organisation_id: int | None,
) -> QuarantinedMessage:
    """Saves the row of a copy that is in quarantine."""
    return QuarantinedMessage.objects.create(
        reference=reference,
        signature=verdict.signature,
        scanner=verdict.scanner,
        sender=str(envelope.sender or ""),
        recipients=[str(recipient.address) for recipient in envelope.recipients],
        organisation_id=organisation_id,
        size=copy.size,
        digest=copy.digest,
        path=copy.name,
    )


@transaction.atomic
def delete(message: QuarantinedMessage, *, reason: str, by: Actor | None) -> None:
    """Deletes a copy; the audit trail keeps its signature and digest."""
    path = folder() / message.path
    detail = {
        "reference": message.reference,
        "signature": message.signature,
        "digest": message.digest,
        "reason": reason,
    }
    record(
        "quarantine.deleted",
        message,
        organisation_key=message.organisation_id or "",
        detail=detail,
        by=by,
    )
    message.delete()
    # After the commit: a file cannot come back when the transaction is rolled back.
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


def purge() -> int:
    """Deletes copies older than POSTERN_QUARANTINE_DAYS; returns how many."""
    days = settings.POSTERN.quarantine_days
    before = timezone.now() - timedelta(days=days)
    old = list(QuarantinedMessage.objects.filter(at__lt=before).order_by("pk"))
    reason = f"Kept for {days} days"
    try:
        return batches.for_each(old, partial(delete, reason=reason, by=None))
    finally:
        delete_unrecorded()


def delete_unrecorded() -> int:
    """Deletes old copies without a row, which a killed process left; returns how many."""
    old = [one for one in folder().iterdir() if _is_old(one)]
    removed = 0
    for start in range(0, len(old), _AT_ONCE):
        some = old[start : start + _AT_ONCE]
        rows = QuarantinedMessage.objects.filter(path__in=[one.name for one in some])
        known = set(rows.values_list("path", flat=True))
        for one in some:
            if one.name not in known:
                one.unlink(missing_ok=True)
                removed += 1
    return removed


def _is_old(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - UNRECORDED
    except FileNotFoundError:
        # Its row, and the file with it, was deleted meanwhile.
        return False


def open_copy(message: QuarantinedMessage) -> IO[bytes]:
    """Opens a copy for reading. Raises FileNotFoundError."""
    return (folder() / message.path).open("rb")


def folder() -> Path:
    """Returns the folder of the copies, which only this user can read."""
    return state_folder.subfolder("quarantine")


def _copy(content: IO[bytes], path: Path) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with state_folder.create_private_file(path) as file:
        while chunk := content.read(CHUNK):
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
        # On the disk before the row: a row must not name a copy that a crash has lost.
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()
