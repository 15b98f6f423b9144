"""Wraps a key by another key, with AES-256-GCM under a random nonce."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.encryption.errors import TamperedError

_NONCE = 12


def wrap(by: bytes, key: bytes, context: bytes) -> bytes:
    """Wraps a key. It unwraps only under the same context."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(by).encrypt(nonce, key, context)


def unwrap(by: bytes, wrapped: bytes, context: bytes) -> bytes:
    """Unwraps a key. Raises TamperedError."""
    try:
        return AESGCM(by).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
    except (InvalidTag, ValueError) as error:
        raise TamperedError(
            "A wrapped key was changed, or belongs to something else."
        ) from error
