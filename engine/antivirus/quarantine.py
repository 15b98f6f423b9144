"""Keeps a copy of what was refused as infected, for the operator alone."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine import state
from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict
from engine.mail.envelope import Envelope

CHUNK = 64 * 1024  # octets
UNRECORDED = 24 * 60 * 60.0  # seconds that a copy may be without its row
_AT_ONCE = 500  # files looked up in one query


@dataclass(frozen=True, slots=True)
class Copy:
    """A file in quarantine, and the SHA-256 of what is in it."""

    name: str
    size: int
    digest: str


@contextmanager
def copied(content: IO[bytes]) -> Iterator[Copy]:
    """Copy the rest of `content` into quarantine, and remove it again where that fails
    which the copy was made for.

    Outside any transaction: what is large takes long to reach the disk.
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
    """Record a copy that is in quarantine."""
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


def sweep() -> int:
    """Remove what no row knows: a process that was killed left it."""
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
        # Its row was deleted meanwhile.
        return False


def open_copy(message: QuarantinedMessage) -> IO[bytes]:
    """Raises FileNotFoundError if the copy is gone."""
    return (folder() / message.path).open("rb")


def folder() -> Path:
    """Where the copies are; readable by nobody else on the machine."""
    return state.folder("quarantine")


def _copy(content: IO[bytes], path: Path) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with state.create(path) as file:
        while chunk := content.read(CHUNK):
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()
