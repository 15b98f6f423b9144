"""The Ed25519 keys that sign checkpoints, and those that others have kept."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from django.db.models import QuerySet

from engine.signing import keys
from engine.signing.models import Purpose, SigningKey

END = b"-----END PUBLIC KEY-----"


class KeyFileError(ValueError):
    """The file holds no Ed25519 public key."""


def current() -> SigningKey:
    """Returns the key that signs now, which is made where there is none."""
    return keys.current(Purpose.AUDIT)


def all_keys() -> QuerySet[SigningKey]:
    """Returns every key that has signed checkpoints, the present one first."""
    return SigningKey.objects.filter(purpose=Purpose.AUDIT).order_by("-pk")


def sign(key: SigningKey, octets: bytes) -> str:
    """Returns the signature in base64. Raises UnknownKeyError."""
    return b64encode(keys.ed25519_key(key).sign(octets)).decode()


def is_signed(public: Ed25519PublicKey, octets: bytes, signature: str) -> bool:
    """Returns whether the private key of `public` made the signature, given in base64."""
    try:
        public.verify(b64decode(signature), octets)
    except (InvalidSignature, ValueError):
        return False
    return True


def known() -> dict[str, Ed25519PublicKey]:
    """Returns the public keys in the database by id, retired ones included."""
    text = "".join(all_keys().values_list("public_key", flat=True))
    return from_pem(text.encode()) if text else {}


def from_pem(text: bytes) -> dict[str, Ed25519PublicKey]:
    """Returns the public keys in PEM blocks by id. Raises KeyFileError."""
    found = {}
    for block in text.split(END)[:-1]:
        start = max(block.rfind(b"-----BEGIN PUBLIC KEY-----"), 0)
        try:
            key = load_pem_public_key(block[start:] + END + b"\n")
        except ValueError as error:
            raise KeyFileError("It has a block that is no public key.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFileError("It has a key that is not Ed25519.")
        found[_id_of(key)] = key
    if not found:
        raise KeyFileError("It has no public key in PEM.")
    return found


def _id_of(key: Ed25519PublicKey) -> str:
    """Returns the id under which checkpoints cite a key, that of `SigningKey.key_id`."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[: keys.KEY_ID_LENGTH]
