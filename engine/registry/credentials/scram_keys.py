"""SCRAM's form of app passwords: what a proof is checked with (RFC 5802 §3, RFC 7677).

All app passwords share one salt. A salt keeps one table of guesses from serving for many
people; 140 random bits are in no table. An address may be several people's, when they
share a group mailbox, and the salt is sent before the proof shows which of them signs in.
And as every name is answered with the same salt, no answer says whether it exists.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from engine.registry.credentials import generated_secrets
from engine.registry.models import AppPassword
from engine.secrets import secret_keys

# What the forms are sealed for: changing it would make all of them unreadable.
SEALED_FOR = "engine.registry.scram"
# RFC 7677 §4: at least 4096. More would only slow clients down; see the salt.
ITERATIONS = 4096


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """StoredKey, which shows that a proof is right, and ServerKey, which signs for us."""

    stored: bytes
    server: bytes

    @classmethod
    def derive(cls, secret: str, salt: bytes, iterations: int) -> ScramKeys:
        """Returns the keys of a secret in ASCII, which SASLprep leaves as it is."""
        salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, iterations)
        client = hmac.digest(salted, b"Client Key", "sha256")
        return cls(
            hashlib.sha256(client).digest(),
            hmac.digest(salted, b"Server Key", "sha256"),
        )


def salt() -> bytes:
    """Returns the salt of all app passwords of this community."""
    domain = settings.POSTERN.community_domain
    return hashlib.sha256(f"SCRAM salt of {domain}".encode()).digest()[:16]


def sealed_keys(secret: str) -> str:
    """Returns what to store of an app password: the salt and its keys, sealed."""
    parts = [salt()]
    # A client hashes what was typed into it, and some people leave the hyphens out.
    for written in generated_secrets.spellings(secret):
        keys = ScramKeys.derive(written, salt(), ITERATIONS)
        parts += [keys.stored, keys.server]
    return secret_keys.seal(SEALED_FOR, " ".join(map(_text, parts)))


@cache
def decoy() -> str:
    """Returns sealed keys of no app password, to spend the time of one."""
    return sealed_keys(generated_secrets.new_secret())


def keys_of(sealed: str) -> list[ScramKeys]:
    """Returns the keys of one app password; none where they cannot be used any more.

    That is where the secret key which sealed them is gone, or the salt was another.
    """
    try:
        first, *parts = secret_keys.unseal(SEALED_FOR, sealed).split(" ")
    except secret_keys.UnknownKeyError:
        return []
    if first != _text(salt()):
        return []
    octets = [base64.b64decode(part) for part in parts]
    return [
        ScramKeys(stored, server)
        for stored, server in zip(octets[::2], octets[1::2], strict=True)
    ]


def learn(found: AppPassword, secret: str) -> None:
    """Stores the keys of an app password without usable ones; its secret was verified.

    Those made before SCRAM was offered gain them at their next sign-in by PLAIN.
    """
    if not found.scram or not keys_of(found.scram):
        found.scram = sealed_keys(secret)
        found.save(update_fields=["scram"])


def reseal(row: AppPassword) -> bool:
    """Seals the keys with the current secret key; returns whether they were not yet.

    Raises UnknownKeyError.
    """
    if not row.scram or secret_keys.is_sealed_with_current_key(SEALED_FOR, row.scram):
        return False
    plain = secret_keys.unseal(SEALED_FOR, row.scram)
    row.scram = secret_keys.seal(SEALED_FOR, plain)
    row.save(update_fields=["scram"])
    return True


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
