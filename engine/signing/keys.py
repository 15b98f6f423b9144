"""Makes, finds, replaces and publishes the community's signing keys.

Private keys are sealed with POSTERN_SECRET_KEY, as all secrets in the database are. A key
is made when something is first signed for its purpose, so that an existing community gets
its keys without doing anything.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import transaction

from engine.database import advisory_locks, clock
from engine.secrets import secret_keys
from engine.signing import document_certificates
from engine.signing.models import PUBLISHED, Purpose, SigningKey

SEALED_FOR = "postern signing keys"
KEY_ID_LENGTH = 16  # hexadecimal digits
ED25519, ECDSA = "Ed25519", "ECDSA P-256"

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


def current(purpose: Purpose) -> SigningKey:
    """Returns the key that signs for a purpose; makes one where there is none."""
    found = _current(purpose)
    return found or _make_missing(purpose)


def private_key(key: SigningKey) -> PrivateKey:
    """Returns the private half. Raises UnknownKeyError where another secret sealed it."""
    pem = secret_keys.unseal(SEALED_FOR, key.sealed_private_key)
    found = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(found, Ed25519PrivateKey | EllipticCurvePrivateKey):
        raise TypeError(f"The key {key.key_id} is of an unknown kind.")
    return found


def ecdsa_key(key: SigningKey) -> EllipticCurvePrivateKey:
    """Returns the private half of a key on the curve P-256. Raises as `private_key` does."""
    found = private_key(key)
    if not isinstance(found, EllipticCurvePrivateKey):
        raise TypeError(f"The key {key.key_id} is not an ECDSA key.")
    return found


def ed25519_key(key: SigningKey) -> Ed25519PrivateKey:
    """Returns the private half of a key that signs JSON. Raises as `private_key` does."""
    found = private_key(key)
    if not isinstance(found, Ed25519PrivateKey):
        raise TypeError(f"The key {key.key_id} is not an Ed25519 key.")
    return found


@transaction.atomic
def replace(purpose: Purpose, *, is_compromised: bool = False) -> SigningKey:
    """Retires the current key of a purpose and makes another; the caller records it.

    The retired one stays published. `is_compromised` says that others may have it, so
    that its signatures prove nothing by themselves any more.
    """
    _lock(purpose)
    now = clock.now()
    earlier = _current(purpose)
    if earlier is not None:
        earlier.retired_at = now
        earlier.compromised_at = now if is_compromised else None
        earlier.save(update_fields=["retired_at", "compromised_at"])
    return _make(purpose, now)


def published() -> list[dict[str, Any]]:
    """Returns the public keys that verify what others keep, retired ones too."""
    return [
        {
            "id": key.key_id,
            "purpose": key.purpose,
            "algorithm": key.algorithm,
            "public_key": key.public_key,
            "certificate": key.certificate,
            "made_at": _moment(key.made_at),
            "retired_at": _moment(key.retired_at),
            "compromised_at": _moment(key.compromised_at),
        }
        for key in SigningKey.objects.filter(purpose__in=PUBLISHED)
    ]


def reseal(key: SigningKey) -> None:
    """Seals the private half with the current secret key. Raises UnknownKeyError."""
    sealed = key.sealed_private_key
    if not secret_keys.is_sealed_with_current_key(SEALED_FOR, sealed):
        plain = secret_keys.unseal(SEALED_FOR, sealed)
        key.sealed_private_key = secret_keys.seal(SEALED_FOR, plain)
        key.save(update_fields=["sealed_private_key"])


def _current(purpose: Purpose) -> SigningKey | None:
    return SigningKey.objects.filter(purpose=purpose, retired_at=None).first()


@transaction.atomic
def _make_missing(purpose: Purpose) -> SigningKey:
    _lock(purpose)
    # Again, now that nobody else can make one: two processes may have found none.
    return _current(purpose) or _make(purpose, clock.now())


def _lock(purpose: Purpose) -> None:
    advisory_locks.hold(f"signing key {purpose}")


def _make(purpose: Purpose, now: datetime) -> SigningKey:
    private: PrivateKey
    certificate = ""
    if purpose == Purpose.WEB_PUSH:
        # The only kind that push services know (RFC 8292 section 2).
        private, algorithm = generate_private_key(SECP256R1()), ECDSA
    elif purpose == Purpose.CERTIFICATE_PDF:
        # What programs that open PDFs verify: few know Ed25519 (ISO/TS 32002).
        private, algorithm = generate_private_key(SECP256R1()), ECDSA
        name = f"{settings.POSTERN.community_name} delivery certificates"
        certificate = document_certificates.issue(private, name=name, made_at=now)
    else:
        private, algorithm = Ed25519PrivateKey.generate(), ED25519
    public = private.public_key()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey.objects.create(
        purpose=purpose,
        key_id=hashlib.sha256(der).hexdigest()[:KEY_ID_LENGTH],
        algorithm=algorithm,
        public_key=public.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        certificate=certificate,
        sealed_private_key=secret_keys.seal(SEALED_FOR, pem.decode()),
        made_at=now,
    )


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
