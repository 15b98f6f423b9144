"""The Ed25519 keys that sign checkpoints, and those that others have kept."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from django.db.models import QuerySet

from engine.secrets.secret_keys import UnknownKeyError
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
    """Returns the public keys in the database that are this service's own, by id.

    Retired ones are among them.
    """
    found = ((key.key_id, own_half(key)) for key in all_keys())
    return {key_id: public for key_id, public in found if public is not None}


def own_half(key: SigningKey) -> Ed25519PublicKey | None:
    """Returns the public half of a key whose private half our secret key has sealed.

    None for another. Who can write to the database alone can add a row, and sign with it
    elsewhere, but cannot seal it.
    """
    try:
        public = keys.ed25519_key(key).public_key()
    except (UnknownKeyError, ValueError, TypeError):
        return None
    return public if _id_of(public) == key.key_id else None


def compromised() -> dict[str, datetime]:
    """Returns when keys were reported to be in the hands of others, by id."""
    return {
        key.key_id: key.compromised_at
        for key in all_keys()
        if key.compromised_at is not None
    }


def after_compromise() -> set[str]:
    """Returns the ids of the keys that were made after the last compromised one."""
    last = all_keys().exclude(compromised_at=None).first()
    rows = all_keys().filter(pk__gt=last.pk) if last else SigningKey.objects.none()
    return set(rows.values_list("key_id", flat=True))


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
