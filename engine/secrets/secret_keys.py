"""What POSTERN_SECRET_KEY keys, and how the keys before it go on working.

The first key makes everything; the others, POSTERN_SECRET_KEY_FALLBACKS, still verify and
open what they made. What is met under one of them is made again with the first.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

NAME_LENGTH = 16


class UnknownKeyError(Exception):
    """Something was sealed with a secret key that is not configured any more."""


def secrets() -> Iterator[str]:
    """The secret key, and then those before it."""
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def name(secret: str = "") -> str:
    """What a key, by default the first, is called in a row that it made.

    64 bits of a keyed digest: nobody gets from it to a key of 128 bits or more.
    """
    return mac("engine.keys.name", "", secret)[:NAME_LENGTH]


def mac(salt: str, value: str, secret: str = "") -> str:
    """SHA-256 keyed with a key, by default the first, for one purpose; in hexadecimal."""
    key = secret or settings.SECRET_KEY
    return salted_hmac(salt, value, secret=key, algorithm="sha256").hexdigest()


def macs(salt: str, value: str) -> list[str]:
    """The same with each key, the first one's first: what a row may be found by."""
    return [mac(salt, value, secret) for secret in secrets()]


def is_mac(claimed: str, salt: str, value: str, *, length: int) -> bool:
    """Whether what is claimed is that much of one of them; in constant time each."""
    return any(
        constant_time_compare(claimed, known[:length]) for known in macs(salt, value)
    )


def seal(purpose: str, text: str) -> str:
    """Encrypt with the first key, for one purpose."""
    return _cipher(purpose).encrypt(text.encode()).decode()


def unseal(purpose: str, sealed: str) -> str:
    """Decrypt with whichever key sealed it. Raises UnknownKeyError."""
    try:
        return _cipher(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise UnknownKeyError(
            "It was sealed with another secret key. Put that one into "
            "POSTERN_SECRET_KEY_FALLBACKS."
        ) from error


def is_current(purpose: str, sealed: str) -> bool:
    """Whether the first key alone opens it."""
    try:
        _fernet(purpose, settings.SECRET_KEY).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _cipher(purpose: str) -> MultiFernet:
    return MultiFernet([_fernet(purpose, secret) for secret in secrets()])


def _fernet(purpose: str, secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose.encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))
