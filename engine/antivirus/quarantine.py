"""Keeps copies of infected content for operators alone, and deletes them after a time.

A copy is never released: the only action on it is to delete it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict
from engine.audit.record import record
from engine.blobs import orphan_sweep, store
from engine.blobs.interface import Kind
from engine.database import batches
from engine.encryption import sealed_blobs
from engine.encryption.models import COMMUNITY
from engine.mail.envelope import Envelope
from engine.registry.models import Actor

CHUNK = 64 * 1024  # octets


@dataclass(frozen=True, slots=True)
class Copy:
    """A blob in quarantine, with its size in octets and its SHA-256."""

    key: str
    size: int
    digest: str


@contextmanager
def copied(content: IO[bytes], *, organisation_id: int | None = None) -> Iterator[Copy]:
    """Copies the rest of `content` into quarantine; deletes the copy if the block fails.

    The organisation's key reads it, or the community's where the sender has none.

    Call it outside any transaction: a large copy takes long to reach the disk.
    """
    spooled, size, digest = _spool(content)
    try:
        key = sealed_blobs.adopt(
            Kind.QUARANTINE,
            spooled,
            organisation_id=organisation_id or COMMUNITY,
            digest=digest,
        )
    finally:
        spooled.unlink(missing_ok=True)
    try:
        yield Copy(key, size, digest)
    except BaseException:
        store.discard(Kind.QUARANTINE, key)
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
        path=copy.key,
    )


@transaction.atomic
def delete(message: QuarantinedMessage, *, reason: str, by: Actor | None) -> None:
    """Deletes a copy; the audit trail keeps its signature and digest."""
    key = message.path
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
    sealed_blobs.forget(Kind.QUARANTINE, key)
    store.delete_after_commit(Kind.QUARANTINE, key)


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
    return orphan_sweep.sweep(Kind.QUARANTINE, _recorded)


def _recorded(keys: Collection[str]) -> set[str]:
    rows = QuarantinedMessage.objects.filter(path__in=keys)
    return set(rows.values_list("path", flat=True))


def open_copy(message: QuarantinedMessage) -> BinaryIO:
    """Opens a copy for reading. Raises as `sealed_blobs.open_blob` does."""
    return sealed_blobs.open_blob(Kind.QUARANTINE, message.path)


def _spool(content: IO[bytes]) -> tuple[Path, int, str]:
    size, digest = 0, hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=store.spool_folder(), delete=False) as file:
        path = Path(file.name)
        try:
            while chunk := content.read(CHUNK):
                size += len(chunk)
                digest.update(chunk)
                file.write(chunk)
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path, size, digest.hexdigest()
