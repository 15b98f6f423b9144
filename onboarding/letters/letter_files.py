"""Keeps each welcome letter as a private file with a random name."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings

from engine.secrets import state_folder
from onboarding.models import Letter


def save(pdf: bytes) -> str:
    """Writes a PDF readable by this user only; returns its random file name."""
    folder = _folder()
    state_folder.make_private_folder(folder)
    name = f"{secrets.token_urlsafe(24)}.pdf"
    with state_folder.create_private_file(folder / name) as file:
        file.write(pdf)
        # Flushed to disk before a row names it: the secret cannot be rendered again.
        file.flush()
        os.fsync(file.fileno())
    return name


def read(letter: Letter) -> bytes:
    """Returns the PDF. Raises FileNotFoundError if it was not written yet or is purged."""
    return (_folder() / (letter.file_name or "-")).read_bytes()


def delete(letter: Letter) -> None:
    """Deletes the letter's file. Idempotent."""
    delete_file(letter.file_name or "-")


def delete_file(file_name: str) -> None:
    """Deletes a file by name, whether or not it exists."""
    (_folder() / file_name).unlink(missing_ok=True)


def _folder() -> Path:
    folder: Path = settings.POSTERN.path("letters")
    return folder
