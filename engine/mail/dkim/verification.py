"""Verifies signatures (RFC 6376 §6.1)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from engine.mail.dkim.canonical_forms import BodyDigests, canonical_field
from engine.mail.dkim.public_key import Key, WeakKey
from engine.mail.dkim.signature import Malformed, Signature
from engine.mail.dkim.tag_list import TagError
from engine.mail.header import HeaderBlock

# Seconds by which the signer's clock may be ahead of ours.
CLOCK_SKEW = 300

# Returns the TXT records at a name; raises KeyUnavailable when name servers do not answer.
KeyTexts: TypeAlias = Callable[[str], Sequence[str]]


class KeyUnavailable(Exception):
    """The name servers of a key do not answer now; they may later."""


class Outcome(StrEnum):
    """The result of a verification (RFC 8601 §2.7.1)."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome for one signature, and the reason where it is not a pass."""

    outcome: Outcome
    reason: str = ""
    signature: Signature | None = None

    @property
    def domain(self) -> str:
        """The signing domain; empty when the field is malformed."""
        return self.signature.domain if self.signature else ""


class Refused(Exception):
    """A signature does not count; the text says why."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


def key_names(
    found: Iterable[Signature | Malformed], *, body: BodyDigests, now: float
) -> set[str]:
    """Returns the names of the keys that `verify` will ask for."""
    names = set()
    for signature in found:
        if isinstance(signature, Malformed):
            continue
        with contextlib.suppress(Refused):
            _check_claims(signature, body, now)
            names.add(signature.key_name)
    return names


def verify(
    found: Sequence[Signature | Malformed],
    *,
    header: HeaderBlock,
    body: BodyDigests,
    key_texts: KeyTexts,
    now: float,
) -> list[Result]:
    """Returns the result of each signature of a message, in order.

    `body` has taken the whole body; `now` is in seconds since 1970.
    """
    results = []
    for signature in found:
        if isinstance(signature, Malformed):
            results.append(Result(Outcome.PERMERROR, signature.reason))
            continue
        try:
            _check_claims(signature, body, now)
            key = usable_key(signature.key_name, signature.algorithm, key_texts)
            _check_value(signature, header, key)
        except Refused as refused:
            results.append(Result(refused.outcome, refused.reason, signature))
        else:
            results.append(Result(Outcome.PASS, signature=signature))
    return results


def _check_claims(signature: Signature, body: BodyDigests, now: float) -> None:
    """Checks everything that needs no key, so that most forgeries cost no query."""
    if signature.has_length:
        # RFC 6376 §8.2: anyone could have appended what follows the signed length.
        raise Refused(Outcome.POLICY, "part of the body is not signed")
    signed_at, expires_at = signature.signed_at, signature.expires_at
    if signed_at is not None and signed_at > now + CLOCK_SKEW:
        raise Refused(Outcome.FAIL, "signed in the future")
    if expires_at is not None and expires_at <= max(now, signed_at or 0):
        raise Refused(Outcome.FAIL, "expired")
    if body.digest(signature.body_form) != signature.body_hash:
        raise Refused(Outcome.FAIL, "the body was changed")


def usable_key(name: str, algorithm: str, key_texts: KeyTexts) -> Key:
    """Returns the key at a name. Raises Refused where no signature counts under it."""
    try:
        texts = key_texts(name)
    except KeyUnavailable as error:
        reason = "the key cannot be looked up at the moment"
        raise Refused(Outcome.TEMPERROR, reason) from error
    if not texts:
        raise Refused(Outcome.PERMERROR, "no key")
    try:
        key = Key.parse(texts[0])
    except TagError as error:
        raise Refused(Outcome.PERMERROR, str(error)) from error
    except WeakKey as error:
        raise Refused(Outcome.POLICY, str(error)) from error
    if key.algorithm != algorithm:
        raise Refused(Outcome.PERMERROR, "the key is of another kind")
    return key


def _check_value(signature: Signature, header: HeaderBlock, key: Key) -> None:
    if key.is_strict and signature.identity_domain != signature.domain:
        raise Refused(Outcome.PERMERROR, "the identity is below the domain")
    data = b"".join(_signed(signature, header))
    if not key.has_signed(data, signature.value):
        raise Refused(Outcome.FAIL, "the header was changed")
    if key.is_test:
        # RFC 6376 §3.6.1: treated as if the message were not signed.
        raise Refused(Outcome.POLICY, "the key is for testing")


def _signed(signature: Signature, header: HeaderBlock) -> Iterator[bytes]:
    """Yields the signed fields, those of one name from the bottom up (RFC 6376 §5.4.2)."""
    form = signature.header_form
    left = {name: header.all(name) for name in set(signature.signed_fields)}
    for name in signature.signed_fields:
        if left[name]:
            yield canonical_field(left[name].pop(), form)
    yield canonical_field(signature.unsigned_field, form).removesuffix(b"\r\n")
