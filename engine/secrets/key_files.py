"""Reads encryption keys of 32 octets from files and variables, in base64."""

from __future__ import annotations

import base64
import binascii
import stat
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEY_OCTETS = 32
HOW_TO_MAKE_ONE = "openssl rand -base64 32"


def read_key_file(file: str) -> bytes:
    """Reads a key file. Raises ImproperlyConfigured where others can read it too."""
    path = Path(file)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"The master key in {path} cannot be read: {error}"
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ImproperlyConfigured(
            f"Other users of this machine can read the master key. Run: chmod 600 {path}"
        )
    return parse_key(text)


def parse_key(text: str) -> bytes:
    """Returns the key that a text holds. Raises ImproperlyConfigured, without the text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_OCTETS:
        raise ImproperlyConfigured(
            f"A master key is {KEY_OCTETS} octets in base64, such as this prints: "
            f"{HOW_TO_MAKE_ONE}"
        )
    return key
