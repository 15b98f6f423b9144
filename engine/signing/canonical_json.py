"""Signatures over JSON in its canonical form (RFC 8785), by Ed25519 (RFC 8032)."""

from __future__ import annotations

import json
import re
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_public_key

# In lower case only: a signature has one spelling.
SIGNATURE = re.compile(r"[0-9a-f]{128}")


class NotCanonicalError(ValueError):
    """The value or text has no canonical form, or is not in it."""


def encode(value: Any) -> bytes:
    """Returns the canonical form. Raises NotCanonicalError where there is none.

    That is for integers beyond 53 bits, lone surrogates, NaN and nesting that is too deep.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise NotCanonicalError(str(error)) from error


def decode(text: bytes) -> Any:
    """Parses JSON that is in its canonical form; raises NotCanonicalError for any other.

    So two files that differ in one octet are never the same document: neither white space
    nor the order of members, a repeated member or another spelling of a number pass.
    """
    try:
        value = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise NotCanonicalError(str(error)) from error
    if encode(value) != text:
        raise NotCanonicalError("The JSON is not in its canonical form.")
    return value


def sign(value: Any, key: Ed25519PrivateKey) -> str:
    """Returns the signature over the canonical form, in hexadecimal."""
    return key.sign(encode(value)).hex()


def verifies(value: Any, signature: object, public_key: str) -> bool:
    """Returns whether the key, in PEM, signed the value. Raises NotCanonicalError."""
    key = load_pem_public_key(public_key.encode())
    if not isinstance(key, Ed25519PublicKey) or not isinstance(signature, str):
        return False
    if not SIGNATURE.fullmatch(signature):
        return False
    try:
        key.verify(bytes.fromhex(signature), encode(value))
    except InvalidSignature:
        return False
    return True
