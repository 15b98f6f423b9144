"""Keeps a copy of what was refused as infected, for the operator alone."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import IO

from engine import state
from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict
from engine.mail.envelope import Envelope

CHUNK = 64 * 1024  # octets


def keep(
    content: IO[bytes],
    *,
    reference: str,
    verdict: Verdict,
    envelope: Envelope,
    organisation_id: int | None,
) -> QuarantinedMessage:
    """Copy the rest of `content` into quarantine and record it.

    In a transaction that fails later, the caller removes the copy (`discard`).
    """
    path = folder() / secrets.token_hex(16)
    try:
        size, digest = _copy(content, path)
        return QuarantinedMessage.objects.create(
            reference=reference,
            signature=verdict.signature,
            scanner=verdict.scanner,
            sender=str(envelope.sender or ""),
            recipients=[str(recipient.address) for recipient in envelope.recipients],
            organisation_id=organisation_id,
            size=size,
            digest=digest,
            path=path.name,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def discard(message: QuarantinedMessage) -> None:
    """Remove the copy of a message whose row was rolled back."""
    (folder() / message.path).unlink(missing_ok=True)


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
