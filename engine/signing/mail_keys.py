"""Makes the keys that sign mail, puts them to use once they are visible, and retires them.

All domains share them, by records of their own: what a thief of one key could get, the
same host keeps the other keys of too, and one set of keys is one set of records to change.
Nothing here asks the DNS; `key_records` has done that.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
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
from engine.mail.dkim.signing import PrivateKey
from engine.secrets import secret_keys
from engine.secrets.secret_keys import UnknownKeyError
from engine.signing.models import KeyRecord, KeyState, MailKey

SEALED_FOR = "postern mail keys"
RSA, ED25519 = "rsa-sha256", "ed25519-sha256"
# RFC 8301 §3.2 asks for 2048 bits; longer ones fit no UDP answer.
RSA_BITS = 2048
SELECTORS = {
    RSA: ("postern-rsa-1", "postern-rsa-2"),
    ED25519: ("postern-ed25519-1", "postern-ed25519-2"),
}
# How long a key signs, and how long its record stays afterwards, for mail on its way.
IN_USE = timedelta(days=180)
RETIRED = timedelta(days=7)


def community_domain() -> str:
    """Returns the domain whose records say which keys are used."""
    return settings.POSTERN.community_domain.lower()


@transaction.atomic
def make_missing() -> list[MailKey]:
    """Makes a key for each selector that has none, and returns them."""
    hold_lock()
    taken = set(MailKey.objects.values_list("selector", flat=True))
    return [
        _make(algorithm, selector)
        for algorithm, selectors in SELECTORS.items()
        for selector in selectors
        if selector not in taken
    ]


def promotions(now: datetime, *, at_once: bool = False) -> Iterator[MailKey]:
    """Yields the keys that are to be used from now on: visible, and due.

    With `at_once` due or not. One at most of each algorithm.
    """
    visible = visible_keys(community_domain())
    for algorithm in SELECTORS:
        keys = MailKey.objects.filter(algorithm=algorithm)
        current = keys.filter(state=KeyState.CURRENT).first()
        ready = [key for key in keys.filter(state=KeyState.NEXT) if key.pk in visible]
        if ready and (current is None or at_once or is_due(current, now)):
            yield ready[0]


def is_due(key: MailKey, now: datetime) -> bool:
    """Whether a key in use is to be replaced by the next."""
    return key.used_since is not None and key.used_since + IN_USE <= now


def use(key: MailKey, now: datetime) -> MailKey | None:
    """Makes a key the one that signs; returns the one that it replaces.

    Call it in a transaction that holds the lock.
    """
    before = MailKey.objects.filter(
        algorithm=key.algorithm, state=KeyState.CURRENT
    ).first()
    if before is not None:
        before.state, before.retired_at = KeyState.RETIRED, now
        before.save(update_fields=["state", "retired_at"])
    key.state, key.used_since = KeyState.CURRENT, now
    key.save(update_fields=["state", "used_since"])
    return before


def outlived(now: datetime) -> list[MailKey]:
    """Returns the retired keys whose record may make room for another key's."""
    return list(
        MailKey.objects.filter(state=KeyState.RETIRED, retired_at__lte=now - RETIRED)
    )


def visible_keys(domain: str) -> set[int]:
    """Returns the ids of keys whose records in a domain were right when last checked."""
    rows = KeyRecord.objects.filter(domain=domain, is_visible=True)
    return set(rows.values_list("key_id", flat=True))


def private_key(key: MailKey) -> PrivateKey:
    """Returns the private half. Raises UnknownKeyError where another secret sealed it."""
    pem = secret_keys.unseal(SEALED_FOR, key.sealed_private_key)
    found = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(found, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise TypeError(f"The key {key.selector} is of an unknown kind.")
    return found


def fault(key: MailKey) -> str:
    """Returns why a key cannot sign; empty if it can."""
    try:
        private_key(key)
    except (UnknownKeyError, ValueError, TypeError) as error:
        return str(error)
    return ""


def reseal(key: MailKey) -> None:
    """Seals the private half with the current secret key. Raises UnknownKeyError."""
    sealed = key.sealed_private_key
    if not secret_keys.is_sealed_with_current_key(SEALED_FOR, sealed):
        plain = secret_keys.unseal(SEALED_FOR, sealed)
        key.sealed_private_key = secret_keys.seal(SEALED_FOR, plain)
        key.save(update_fields=["sealed_private_key"])


def hold_lock() -> None:
    """Waits until no other process changes the keys; holds until the transaction ends."""
    advisory_locks.hold("mail keys")


def by_algorithm(keys: Sequence[MailKey], algorithm: str) -> list[MailKey]:
    """Returns those of one algorithm."""
    return [key for key in keys if key.algorithm == algorithm]


def _make(algorithm: str, selector: str) -> MailKey:
    private, public = _generate(algorithm)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return MailKey.objects.create(
        algorithm=algorithm,
        selector=selector,
        public_key=base64.b64encode(public).decode(),
        sealed_private_key=secret_keys.seal(SEALED_FOR, pem.decode()),
        made_at=clock.now(),
    )


def _generate(algorithm: str) -> tuple[PrivateKey, bytes]:
    if algorithm == RSA:
        made = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        public = made.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return made, public
    # RFC 8463 §4: without the wrapping of SubjectPublicKeyInfo.
    short = ed25519.Ed25519PrivateKey.generate()
    return short, short.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
