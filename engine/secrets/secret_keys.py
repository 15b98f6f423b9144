"""Keyed digests and encryption with POSTERN_SECRET_KEY, and with the keys before it.

New digests and ciphertexts are made with the first key, the current one. The earlier keys
in POSTERN_SECRET_KEY_FALLBACKS still verify and decrypt what they made, and callers then
make it again with the current key.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

# Hexadecimal digits of a key's id.
KEY_ID_LENGTH = 16
# The salt of key ids, which are in the database: it must not follow the module.
KEY_ID_SALT = "engine.keys.name"


class UnknownKeyError(Exception):
    """The secret key that sealed a value is no longer configured."""


def all_keys() -> Iterator[str]:
    """Yields the current secret key, then the earlier ones."""
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def key_id(secret: str = "") -> str:
    """Returns the id of a key, by default the current one, for rows that it has keyed.

    The id is 64 bits of a keyed digest, from which a key of 128 bits or more cannot be
    recovered.
    """
    return mac(KEY_ID_SALT, "", secret)[:KEY_ID_LENGTH]


def mac(salt: str, value: str, secret: str = "") -> str:
    """Returns the HMAC-SHA-256 of a value in hexadecimal, by default with the current key.

    `salt` separates purposes: the same value has another digest under another salt.
    """
    key = secret or settings.SECRET_KEY
    return salted_hmac(salt, value, secret=key, algorithm="sha256").hexdigest()


def macs(salt: str, value: str) -> list[str]:
    """Returns the MAC of a value with each key, current first, to find rows by."""
    return [mac(salt, value, secret) for secret in all_keys()]


def is_mac(claimed: str, salt: str, value: str, *, length: int) -> bool:
    """Returns whether it is the first `length` digits of a MAC with any key.

    Each comparison takes constant time.
    """
    return any(
        constant_time_compare(claimed, known[:length]) for known in macs(salt, value)
    )


def seal(purpose: str, text: str) -> str:
    """Encrypts text with the current key, for one purpose."""
    return _cipher(purpose).encrypt(text.encode()).decode()


def unseal(purpose: str, sealed: str) -> str:
    """Decrypts text with the key that sealed it. Raises UnknownKeyError."""
    try:
        return _cipher(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise UnknownKeyError(
            "The value was sealed with another secret key. Add that key to "
            "POSTERN_SECRET_KEY_FALLBACKS."
        ) from error


def is_sealed_with_current_key(purpose: str, sealed: str) -> bool:
    """Returns whether the current key alone decrypts it."""
    try:
        _fernet(purpose, settings.SECRET_KEY).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _cipher(purpose: str) -> MultiFernet:
    return MultiFernet([_fernet(purpose, secret) for secret in all_keys()])


def _fernet(purpose: str, secret: str) -> Fernet:
    # A key of its own for each purpose: what one part of the program sealed, no other opens.
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose.encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))
