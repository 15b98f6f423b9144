"""Validates ARC: what servers on the way attest about a message (RFC 8617 §5.2)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.dkim import signature, tag_list, verification
from engine.mail.dkim.canonical_forms import BodyDigests, Form, canonical_field
from engine.mail.dkim.signature import Signature
from engine.mail.dkim.tag_list import TagError
from engine.mail.dkim.verification import KeyTexts, Outcome, Refused
from engine.mail.header import Field, HeaderBlock

RESULTS = "ARC-Authentication-Results"
MESSAGE_SIGNATURE = "ARC-Message-Signature"
SEAL = "ARC-Seal"
# §4.1: the three fields of a set, which share an instance number, in the order in which
# a seal covers them (§5.1.1).
FIELDS = (RESULTS, MESSAGE_SIGNATURE, SEAL)
# §4.2.1
MAX_SETS = 50

_INSTANCE = re.compile(rb"[ \t]*i[ \t]*=[ \t]*([0-9]{1,3})[ \t]*(?:;|\Z)")


class Arc(StrEnum):
    """The results of a validation (RFC 8601 §2.7.7), and that it has to wait."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    TEMPERROR = "temperror"


@dataclass(frozen=True, slots=True)
class ArcResult:
    """The result for a message's chain, and the reason where it is not a pass."""

    outcome: Arc
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ArcSeal:
    """A well-formed ARC-Seal, not yet verified; `verdict` is the value of cv=."""

    field: Field
    key_name: str
    algorithm: str
    verdict: str
    value: bytes


@dataclass(frozen=True, slots=True)
class ArcSet:
    """What one server added: its results, its signature of the message, and its seal."""

    results: Field
    message: Signature
    seal: ArcSeal


@dataclass(frozen=True, slots=True)
class ArcChain:
    """The sets of a message, oldest first; `fault` says why they make no chain."""

    sets: tuple[ArcSet, ...] = ()
    fault: str = ""

    @classmethod
    def read(cls, header: HeaderBlock) -> ArcChain:
        """Returns the chain in a header, empty where it has no ARC fields."""
        try:
            return cls(tuple(_sets(header)))
        except TagError as error:
            return cls(fault=str(error))

    @property
    def newest(self) -> Signature | None:
        """The signature that covers the message as it was last seen."""
        return self.sets[-1].message if self.sets else None

    @property
    def key_names(self) -> list[str]:
        """The names of all keys, each once, the newest first."""
        if not self.sets:
            return []
        names = [self.sets[-1].message.key_name]
        names += [one.seal.key_name for one in reversed(self.sets)]
        return list(dict.fromkeys(names))

    def result(
        self, header: HeaderBlock, body: BodyDigests, key_texts: KeyTexts, now: float
    ) -> ArcResult:
        """Validates the chain; `body` has taken the whole body."""
        if self.fault:
            return ArcResult(Arc.FAIL, self.fault)
        if not self.sets:
            return ArcResult(Arc.NONE)
        [newest] = verification.verify(
            [self.sets[-1].message],
            header=header,
            body=body,
            key_texts=key_texts,
            now=now,
        )
        if newest.outcome is not Outcome.PASS:
            return _failed(newest.outcome, newest.reason)
        try:
            _check_seals(self.sets, key_texts)
        except Refused as refused:
            return _failed(refused.outcome, refused.reason)
        return ArcResult(Arc.PASS)


def _failed(outcome: Outcome, reason: str) -> ArcResult:
    is_open = outcome is Outcome.TEMPERROR
    return ArcResult(Arc.TEMPERROR if is_open else Arc.FAIL, reason)


def _sets(header: HeaderBlock) -> Iterator[ArcSet]:
    """Yields the sets in order. Raises TagError unless they are whole and in sequence."""
    by_kind = [_by_instance(header.all(name)) for name in FIELDS]
    count = len(by_kind[0])
    if any(set(found) != set(range(1, count + 1)) for found in by_kind):
        raise TagError("a set is incomplete")
    for instance in range(1, count + 1):
        results, message, seal = (found[instance] for found in by_kind)
        made = ArcSet(results, _message_signature(message), _seal(seal))
        # §4.1.3: the first seal has no chain before it, others have one that passed.
        wanted = "none" if instance == 1 else "pass"
        if made.seal.verdict != wanted:
            raise TagError(f"set {instance} says cv={made.seal.verdict}")
        yield made


def _by_instance(fields: Sequence[Field]) -> dict[int, Field]:
    found: dict[int, Field] = {}
    if len(fields) > MAX_SETS:
        raise TagError("too many sets")
    for field in fields:
        instance = _INSTANCE.match(field.value)
        if instance is None and field.name.lower() != RESULTS.lower():
            # Elsewhere it is a tag like any other.
            tags = tag_list.parse(field.written.decode("ascii", "replace"))
            number = tags.get("i", "")
        else:
            number = instance[1].decode() if instance else ""
        if not re.fullmatch("[0-9]{1,3}", number) or int(number) in found:
            raise TagError("the sets are not numbered one by one")
        found[int(number)] = field
    return found


def _message_signature(field: Field) -> Signature:
    found = tag_list.parse(field.written.decode("ascii", "replace"))
    made = signature.of_tags(field, found)
    # §4.1.2: seals are added after it.
    if SEAL.lower() in made.signed_fields:
        raise TagError("a signature covers seals")
    return made


def _seal(field: Field) -> ArcSeal:
    found = tag_list.parse(field.written.decode("ascii", "replace"))
    # §4.1.3: what a seal covers is not for it to say.
    if "h" in found:
        raise TagError("a seal names fields")
    verdict = tag_list.required(found, "cv").lower()
    if verdict not in ("none", "pass", "fail"):
        raise TagError("a seal has an unknown verdict")
    domain = signature.domain_name(tag_list.required(found, "d"))
    selector = signature.domain_name(tag_list.required(found, "s"))
    return ArcSeal(
        field,
        f"{selector}._domainkey.{domain}",
        signature.check_algorithm(found),
        verdict,
        tag_list.decoded(tag_list.required(found, "b")),
    )


def _check_seals(sets: Sequence[ArcSet], key_texts: KeyTexts) -> None:
    """Verifies each seal, over all sets up to its own (§5.1.1). Raises Refused."""
    covered = hashlib.sha256()
    for number, one in enumerate(sets, 1):
        for field in (one.results, one.message.field):
            covered.update(canonical_field(field, Form.RELAXED))
        own = covered.copy()
        unsigned = canonical_field(
            signature.without_value(one.seal.field), Form.RELAXED
        )
        own.update(unsigned.removesuffix(b"\r\n"))
        seal = one.seal
        key = verification.usable_key(seal.key_name, seal.algorithm, key_texts)
        if not key.has_signed_digest(own.digest(), seal.value):
            raise Refused(Outcome.FAIL, f"the seal of set {number} is broken")
        if key.is_test:
            raise Refused(Outcome.POLICY, "the key is for testing")
        covered.update(canonical_field(seal.field, Form.RELAXED))
