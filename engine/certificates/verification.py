"""Verifies certificates, as PDF or JSON. Needs neither message, database nor network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from engine.certificates import published_keys
from engine.certificates.errors import (
    CHANGED,
    COMPROMISED,
    NOT_OURS,
    UNKNOWN,
    NotVerifiedError,
)
from engine.certificates.published_keys import PublishedKey
from engine.mail.message import split
from engine.signing import canonical_json
from engine.signing.canonical_json import NotCanonicalError
from engine.signing.models import Purpose

TYPE = "postern-delivery-certificate/1"
PDF = b"%PDF-"
ALGORITHM = "Ed25519"
MAX_OCTETS = 1024 * 1024  # of a file
MEMBERS = {"certificate", "signature"}


@dataclass(frozen=True, slots=True)
class Verified:
    """A genuine certificate: what it states, and the keys that signed it."""

    form: str
    statement: dict[str, Any]
    keys: tuple[PublishedKey, ...]


def verify(
    file: bytes,
    known: Sequence[PublishedKey],
    *,
    is_recorded: Callable[[dict[str, Any]], bool] | None = None,
) -> Verified:
    """Verifies a file by the community's published keys. Raises NotVerifiedError.

    `is_recorded` looks for the statement in the audit trail, where that is at hand. It
    stands in for a key that others may have had, and must agree in any case.
    """
    if len(file) > MAX_OCTETS:
        raise NotVerifiedError(UNKNOWN)
    if file.startswith(PDF):
        # Left to the first PDF: pyHanko takes half a second to import, and 23 MB.
        pdf_verification = import_module("engine.certificates.pdf_verification")
        signed = pdf_verification.verify(file, known)
        if signed.key.compromised_at:
            # What the audit trail holds is the JSON, not what the pages show.
            raise NotVerifiedError(COMPROMISED.format(since=signed.key.compromised_at))
        inside = _verify_json(signed.attached, known)
        found = Verified("PDF", inside.statement, (signed.key, *inside.keys))
    else:
        found = _verify_json(file, known)
    if is_recorded is not None:
        if not is_recorded(found.statement):
            raise NotVerifiedError(
                "The signature is this community’s, but its audit trail has no entry "
                "that agrees with the file. Ask the community’s operator."
            )
        return found
    for key in found.keys:
        if key.compromised_at:
            raise NotVerifiedError(COMPROMISED.format(since=key.compromised_at))
    return found


def facts_digest(statement: dict[str, Any]) -> str:
    """Returns the SHA-256, in hexadecimal, of what is stated beside the audit entry.

    The entry holds it, so it cannot be of the part that names the entry.
    """
    facts = {name: value for name, value in statement.items() if name != "audit"}
    return hashlib.sha256(canonical_json.encode(facts)).hexdigest()


def compare(statement: dict[str, Any], message: bytes) -> dict[str, bool | None]:
    """Returns whether header and body of a message are those of the statement.

    None where the statement has no digest to compare with.
    """
    stated = statement["message"]
    return {
        name: hashlib.sha256(part).hexdigest() == stated[f"{name}_sha256"]
        if stated[f"{name}_sha256"]
        else None
        for name, part in zip(("header", "body"), split(message), strict=True)
    }


def _verify_json(file: bytes, known: Sequence[PublishedKey]) -> Verified:
    try:
        document = canonical_json.decode(file)
    except NotCanonicalError as error:
        is_close = b'"postern-delivery-certificate/' in file
        raise NotVerifiedError(CHANGED if is_close else UNKNOWN) from error
    if not isinstance(document, dict) or document.keys() != MEMBERS:
        raise NotVerifiedError(UNKNOWN)
    statement, signature = document["certificate"], document["signature"]
    if not isinstance(statement, dict) or not isinstance(signature, dict):
        raise NotVerifiedError(UNKNOWN)
    if statement.get("type") != TYPE:
        raise NotVerifiedError(UNKNOWN)
    if signature.keys() != {"algorithm", "key", "value"}:
        raise NotVerifiedError(CHANGED)
    key = published_keys.find(known, signature["key"])
    if key is None or key.purpose != Purpose.CERTIFICATE:
        raise NotVerifiedError(NOT_OURS)
    is_signed = canonical_json.verifies(statement, signature["value"], key.public_key)
    if signature["algorithm"] != ALGORITHM or not is_signed:
        raise NotVerifiedError(CHANGED)
    return Verified("JSON", statement, (key,))
