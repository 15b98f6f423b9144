"""Keeps each welcome letter as a blob, which only the service can read."""

from __future__ import annotations

from collections.abc import Collection

from engine.blobs import orphan_sweep, store
from engine.blobs.interface import Kind
from engine.encryption import sealed_blobs
from onboarding.models import Letter


def save(pdf: bytes, *, organisation_id: int) -> str:
    """Stores a PDF durably and returns its file name, which is the key of its blob.

    Durably before a row names it: the secret in it cannot be rendered again.
    """
    return sealed_blobs.keep(Kind.LETTER, pdf, organisation_id=organisation_id)


def read(letter: Letter) -> bytes:
    """Returns the PDF. Raises FileNotFoundError if it was not written yet or is purged."""
    if not letter.file_name:
        raise FileNotFoundError(f"Letter {letter.pk} has no file.")
    return sealed_blobs.read(Kind.LETTER, letter.file_name)


def delete(letter: Letter) -> None:
    """Deletes the letter's file. Idempotent."""
    if letter.file_name:
        delete_file(letter.file_name)


def delete_file(file_name: str) -> None:
    """Deletes a file by name, whether or not it exists."""
    store.delete(Kind.LETTER, file_name)
    sealed_blobs.forget(Kind.LETTER, file_name)


def delete_orphans() -> int:
    """Deletes old files that no letter names, which a killed job left."""
    return orphan_sweep.sweep(Kind.LETTER, _named)


def _named(file_names: Collection[str]) -> set[str]:
    rows = Letter.objects.filter(file_name__in=file_names)
    return {name for name in rows.values_list("file_name", flat=True) if name}
