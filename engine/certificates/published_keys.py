"""The community's public keys as verification uses them: from the database or a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings

from engine.signing import keys

TYPE = "postern-signing-keys/1"
MAX_OCTETS = 1024 * 1024  # of a list: a key every day for a year


class KeyListError(ValueError):
    """The text is no list of public keys."""


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One public key, retired or not. Moments are in ISO 8601, empty where there is none."""

    id: str
    purpose: str
    public_key: str
    certificate: str
    retired_at: str
    compromised_at: str


def document() -> dict[str, Any]:
    """Returns the list that is published."""
    return {
        "type": TYPE,
        "community": settings.POSTERN.community_domain,
        "keys": keys.published(),
    }


def known() -> list[PublishedKey]:
    """Returns this community's keys."""
    return _parsed(keys.published())


def parse(text: bytes) -> list[PublishedKey]:
    """Parses a published list. Raises KeyListError."""
    try:
        read = json.loads(text[: MAX_OCTETS + 1])
        if read["type"] != TYPE:
            raise KeyListError("The file is not a list of signing keys.")
        return _parsed(read["keys"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise KeyListError("The file is not a list of signing keys.") from error


def find(known_keys: Sequence[PublishedKey], key_id: object) -> PublishedKey | None:
    """Returns the key with an id."""
    return next((key for key in known_keys if key.id == key_id), None)


def _parsed(rows: Iterable[dict[str, Any]]) -> list[PublishedKey]:
    found = [
        PublishedKey(
            id=str(row["id"]),
            purpose=str(row["purpose"]),
            public_key=str(row["public_key"]),
            certificate=str(row["certificate"] or ""),
            retired_at=str(row["retired_at"] or ""),
            compromised_at=str(row["compromised_at"] or ""),
        )
        for row in rows
    ]
    for key in found:
        # Here rather than in the middle of a verification.
        load_pem_public_key(key.public_key.encode())
        if key.certificate:
            x509.load_pem_x509_certificate(key.certificate.encode())
    return found
