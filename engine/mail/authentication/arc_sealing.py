"""Seals messages that are handed on with a set of ARC fields (RFC 8617 §5.1)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.authentication.arc import (
    FIELDS,
    MAX_SETS,
    MESSAGE_SIGNATURE,
    RESULTS,
    SEAL,
)
from engine.mail.dkim import tag_list
from engine.mail.dkim.canonical_forms import Form, canonical_field
from engine.mail.dkim.signing import (
    OVERSIGNED,
    SIGNED,
    DomainKey,
    signature_tags,
    signed_data,
    signed_field,
    signed_names,
)
from engine.mail.dkim.tag_list import TagError
from engine.mail.header import Field, HeaderBlock

AUTHENTICATION_RESULTS = "Authentication-Results"

_INSTANCE = re.compile(
    rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,3})[ \t\r\n]*(?:;|$)"
)
# Innermost first, because comments nest (RFC 5322 §3.2.2).
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()"\\]|\\.)*\)')
_RESULT = re.compile(r"arc\s*=\s*([a-z]+)(?:\s|$)")


class Chain(StrEnum):
    """The state of the chain before us, as in the tag cv= (RFC 8617 §4.1.3)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was found out about a message when it arrived here.

    `results` is our own Authentication-Results field, where there is one. `chain` is None
    where it is unknown, or where the next set may not be added.
    """

    results: Field | None
    chain: Chain | None
    sets: tuple[tuple[Field, Field, Field], ...] = ()


def arrival(header: HeaderBlock, names: Collection[str]) -> Arrival:
    """Reads from a stored header what its ARC sets were worth when it arrived.

    `names` are our authserv-ids, and domains that they are in. Only the topmost field is
    read: it is put on top on arrival, when others in our name are removed.
    """
    top = header.get(AUTHENTICATION_RESULTS)
    results = top if top is not None and _is_ours(top, names) else None
    if not any(header.get(name) for name in FIELDS):
        return Arrival(results, Chain.NONE)
    found = _sets(header)
    known = _stated(results)
    if len(found) >= MAX_SETS or _has_failed(found):
        # RFC 8617 §5.1: nothing is to be added to a chain that is sealed as failed.
        known = None
    elif known is Chain.NONE or (known is Chain.PASS and not found):
        # Fields that make up no whole sets (§5.2): only a first set follows on none.
        known = Chain.FAIL
    return Arrival(results, known, found)


def seal(
    header: HeaderBlock,
    key: DomainKey,
    *,
    arrived: Arrival,
    server_name: str,
    body_hash: bytes,
    now: float,
) -> list[Field]:
    """Returns the fields of our set, in their order from the top; none where none is due.

    `body_hash` and `now` are as for `signing.sign`. The header has our DKIM signatures
    already.
    """
    if arrived.chain is None:
        return []
    instance = _highest(header) + 1
    if instance > MAX_SETS:
        return []
    results = _results_field(arrived.results, instance, server_name)
    names = signed_names(header, (*SIGNED, "DKIM-Signature"), OVERSIGNED)
    tags = {"i": str(instance)} | signature_tags(key, names, body_hash, now)
    message = signed_field(MESSAGE_SIGNATURE, tags, key, signed_data(header, names))
    tags = {
        "i": str(instance),
        "a": key.algorithm,
        "t": str(int(now)),
        "cv": arrived.chain,
        "d": key.domain,
        "s": key.selector,
    }
    # §5.1.2: the seal of a failed chain covers only its own set, as if it were the first.
    before = [] if arrived.chain is Chain.FAIL else arrived.sets
    covered = [field for one in before for field in one] + [results, message]
    data = b"".join(canonical_field(field, Form.RELAXED) for field in covered)
    return [signed_field(SEAL, tags, key, data), message, results]


def _results_field(results: Field | None, instance: int, server_name: str) -> Field:
    """Returns the set's results: our own of the arrival, or none (RFC 8601 §2.2)."""
    written = results.written if results else f" {server_name}; none".encode()
    return Field(RESULTS, f"{RESULTS}: i={instance};".encode() + written + b"\r\n")


def _is_ours(field: Field, names: Collection[str]) -> bool:
    text = field.value.decode("latin-1").partition(";")[0].split()
    claimed = text[0].lower() if text else ""
    return any(claimed == name or claimed.endswith(f".{name}") for name in names)


def _stated(results: Field | None) -> Chain | None:
    """Returns what our results say of the chain; None where that is nothing certain."""
    if results is None:
        return None
    text, count = results.value.decode("latin-1").lower(), 1
    while count:
        # Of others' words none counts: reasons are quoted, and comments are comments.
        text, count = _QUOTED.subn("", text)
    if set(text) & set('"()'):
        return None
    stated = {
        found[1]
        for part in text.split(";")[1:]
        if (found := _RESULT.match(part.strip()))
    }
    return Chain(stated.pop()) if len(stated) == 1 and stated <= set(Chain) else None


def _sets(header: HeaderBlock) -> tuple[tuple[Field, Field, Field], ...]:
    """Returns the sets from the first to the last; none where any is incomplete."""
    by_name = []
    for name in FIELDS:
        fields = header.all(name)
        by_instance = {_instance(field): field for field in fields}
        if sorted(by_instance) != list(range(1, len(fields) + 1)):
            return ()
        by_name.append([by_instance[one + 1] for one in range(len(fields))])
    results, messages, seals = by_name
    if not len(results) == len(messages) == len(seals):
        return ()
    return tuple(zip(results, messages, seals, strict=True))


def _highest(header: HeaderBlock) -> int:
    fields = [field for name in FIELDS for field in header.all(name)]
    return max(map(_instance, fields), default=0)


def _instance(field: Field) -> int:
    """Returns the number of the set that a field belongs to; 0 where it has none."""
    found = _INSTANCE.match(field.written)
    if found:
        return int(found[1])
    try:
        tags = tag_list.parse(field.written.decode("ascii", "replace"))
        return int(tags.get("i", "")[:3])
    except (TagError, ValueError):
        return 0


def _has_failed(found: tuple[tuple[Field, Field, Field], ...]) -> bool:
    if not found:
        return False
    try:
        tags = tag_list.parse(found[-1][2].written.decode("ascii", "replace"))
    except TagError:
        return False
    return tags.get("cv", "").lower() == Chain.FAIL
