"""Generated secrets: how they are made, and the keyed digest that is stored of them.

With 140 random bits a secret cannot be guessed offline, so a fast keyed SHA-256 is
enough where a chosen password would need a slow hash on every POP3 poll.
"""

from __future__ import annotations

import secrets

from engine.registry.models import ApiKey, AppPassword, ConnectionCredential
from engine.secrets import secret_keys

# Part of every stored digest: changing it would invalidate all secrets.
SALT = "engine.registry.credentials"

# Crockford's base 32: no letter can be mistaken for a digit.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, GROUP_LENGTH = 7, 4  # 28 letters of 5 bits: 140 bits
MISREAD = str.maketrans("oil", "011", "- \t")


def new_secret() -> str:
    """Returns a secret of 140 bits, in groups that can be read out: `k7qd-3m9x-…`."""
    groups = [
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH))
        for _ in range(GROUPS)
    ]
    return "-".join(groups)


def spellings(secret: str) -> tuple[str, str]:
    """Returns a secret as it was shown, in groups, and without the hyphens."""
    letters = secret.lower().translate(MISREAD)
    groups = (
        letters[at : at + GROUP_LENGTH] for at in range(0, len(letters), GROUP_LENGTH)
    )
    return "-".join(groups), letters


def digest(secret: str) -> str:
    """Returns the digest to store: SHA-256 keyed with the current secret key, in hex.

    Case, spaces, hyphens and the usual misreadings (o for 0, i and l for 1) make no
    difference.
    """
    return digests(secret)[0]


def digests(secret: str) -> tuple[str, ...]:
    """Returns the digests under the current secret key and under each earlier one.

    A row is looked up by all of them, so that a change of the secret key locks nobody
    out.
    """
    return tuple(secret_keys.macs(SALT, secret.lower().translate(MISREAD)))


def rekey(found: ConnectionCredential | AppPassword | ApiKey, secret: str) -> None:
    """Stores the digest under the current secret key, after the secret was verified.

    Only use can do this: the digest cannot be converted without the secret. While hosts
    are being switched to a new key, those that have it and those that do not rekey a
    row back and forth. That is harmless, because both know both keys and look for either
    digest. A host that does not know the new key at all would refuse the secret, which
    is why the new key goes into the fallbacks of all hosts first.
    """
    if found.keyed_by == secret_keys.key_id():
        return
    found.digest, found.keyed_by = digest(secret), secret_keys.key_id()
    found.save(update_fields=["digest", "keyed_by"])
