"""Keeps the pictures of guides in the store of blobs, for Wagtail."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.crypto import get_random_string
from django.utils.deconstruct import deconstructible
from django.utils.encoding import filepath_to_uri

from engine.blobs import store
from engine.blobs.interface import Kind, Stored

RANDOM_LETTERS = 7


@deconstructible
class PictureStorage(Storage):
    """Django's storage of uploaded files, over blobs.

    Names are Wagtail's own with a random part: their columns are too short for a digest.
    """

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        if mode != "rb":
            raise ValueError("Pictures are written once, by save().")
        return File(store.open_blob(Kind.PICTURE, name), name=name)

    def _save(self, name: str, content: IO[Any]) -> str:
        with tempfile.NamedTemporaryFile(
            dir=store.spool_folder(), delete=False
        ) as file:
            path = Path(file.name)
            try:
                for chunk in File(content).chunks():
                    file.write(chunk)
                file.flush()
                store.configured().put(Kind.PICTURE, name, path)
            finally:
                path.unlink(missing_ok=True)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Adds random letters to every name: two hosts may save the same at once."""
        root, extension = os.path.splitext(name)
        unique = f"{root}_{get_random_string(RANDOM_LETTERS)}{extension}"
        return super().get_available_name(unique, max_length)

    def delete(self, name: str) -> None:
        """Deletes a picture; a missing one is no error."""
        store.delete(Kind.PICTURE, name)

    def exists(self, name: str) -> bool:
        """Returns whether the picture is there."""
        return store.exists(Kind.PICTURE, name)

    def size(self, name: str) -> int:
        """Returns the size in octets. Raises FileNotFoundError."""
        return self._find(name).size

    def get_modified_time(self, name: str) -> datetime:
        """Returns when the picture was saved. Raises FileNotFoundError."""
        return datetime.fromtimestamp(self._find(name).modified, tz=UTC)

    def url(self, name: str | None) -> str:
        """Returns the path of the page that serves it."""
        return urljoin(settings.MEDIA_URL, filepath_to_uri(name or "").lstrip("/"))

    def _find(self, name: str) -> Stored:
        found = store.configured().find(Kind.PICTURE, name)
        if found is None:
            raise FileNotFoundError(name)
        return found
