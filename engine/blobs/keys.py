"""Keys of blobs: the digest of what is stored, and a suffix of each blob's own.

Repeating a PUT with the same key is harmless, and the holder of a key can verify the
content. The suffix keeps two messages with one body apart: shared, erasing one would have
to know of the other at the very moment at which it is stored.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import BinaryIO

CHUNK = 1024 * 1024
# SHA-256 in hexadecimal, and 48 random bits.
_WITH_DIGEST = re.compile(r"([0-9a-f]{64})-[0-9a-f]{12}")
# Keys of earlier versions, which remain valid, and names of pictures. No part begins with
# a dot, so that a corrupt key from the database cannot leave its folder.
_KEY = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*")


def new(digest: str) -> str:
    """Returns the key of a new blob with this SHA-256, which is in hexadecimal."""
    return f"{digest}-{secrets.token_hex(6)}"


def digest_in(key: str) -> str | None:
    """Returns the SHA-256 that the blob must have; None for a key that does not say."""
    found = _WITH_DIGEST.fullmatch(key)
    return found[1] if found else None


def check(key: str) -> None:
    """Raises ValueError for what cannot be a key."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not the key of a blob.")


def digest_of(file: BinaryIO) -> str:
    """Returns the SHA-256, in hexadecimal, of the rest of a file."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
