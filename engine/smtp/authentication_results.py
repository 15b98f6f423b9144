"""Checks DKIM signatures on receipt and writes Authentication-Results (RFC 8601)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from engine.mail import lookalike
from engine.mail.dkim.canonical_forms import BodyDigests
from engine.mail.dkim.signature import Malformed, Signature, signatures
from engine.mail.dkim.verification import KeyUnavailable, Outcome, Result, verify
from engine.mail.header import Field, HeaderBlock
from engine.network import dns

FIELD = "Authentication-Results"
ARC_RESULTS = "ARC-Authentication-Results"
# RFC 8617 §4.1: the three fields of a set, which share an instance number.
ARC_FIELDS = frozenset([ARC_RESULTS.lower(), "arc-message-signature", "arc-seal"])

# What programs read past within a name: white space, backslashes, quotes, comment signs.
_PADDING = re.compile(r"[\\\s\"()]")
_COMMENT_SIGN = re.compile(r"[()]|\\.", re.DOTALL)
_INSTANCE = re.compile(r"(?:^|;)i=([0-9]+)")
_SIGNING_DOMAIN = re.compile(r";d=([^;]*)")

# Threads of their own: name servers that do not answer must not hold up anything else.
_threads = ThreadPoolExecutor(16, thread_name_prefix="signatures")


class SignedBody:
    """The signatures that a header announces, and the body hashes that they need.

    The hashes are computed while the body streams in, so that a large body is never
    read again.
    """

    def __init__(self, header: bytes) -> None:
        self.signatures: list[Signature | Malformed] = []
        if b"dkim-signature" in header.lower():
            self.signatures = signatures(HeaderBlock.salvage(header))
        self._digests = BodyDigests(
            {one.body_form for one in self.signatures if isinstance(one, Signature)}
        )

    def update(self, data: bytes) -> None:
        """Takes the next octets of the body."""
        self._digests.update(data)

    async def results(self, header: HeaderBlock) -> list[Result]:
        """Verifies all signatures once the body is complete. Queries name servers."""
        if not self.signatures:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_threads, self._verify, header)

    def _verify(self, header: HeaderBlock) -> list[Result]:
        return verify(
            self.signatures,
            header=header,
            body=self._digests,
            key_texts=_key_texts,
            now=time.time(),
        )


def _key_texts(name: str) -> Sequence[str]:
    try:
        return dns.txt(name)
    except dns.DnsUnavailable as error:
        raise KeyUnavailable(str(error)) from error


def add_results(
    header: HeaderBlock, server_name: str, found: list[Result]
) -> HeaderBlock:
    """Returns the header with our Authentication-Results on top (RFC 8601 §2)."""
    results = "; ".join(_result_text(result) for result in found) or "dkim=none"
    return header.prepended(FIELD, f"{server_name}; {results}")


def remove_forged(header: HeaderBlock, *names: str) -> HeaderBlock:
    """Returns the header without results and ARC sets that claim to be ours.

    `names` are the server's, then others of ours, such as the community's domain. RFC
    8601 §5: results under our own name that come from outside can only be forged. We
    never seal, so that no ARC set of ours can come back either; of a forged set all
    three fields are removed (RFC 8617 §4.1).
    """
    if not any(header.get(name) for name in (FIELD, *ARC_FIELDS)):
        return header
    ours = [_as_read(name) for name in names]
    forged = {
        _instance(field)
        for field in header.fields
        if field.name.lower() in ARC_FIELDS and _claims_to_be_ours(field, ours)
    }
    kept = tuple(f for f in header.fields if not _is_forged(f, ours, forged))
    return HeaderBlock(kept)


def _is_forged(field: Field, ours: Sequence[str], forged: set[str]) -> bool:
    name = field.name.lower()
    if name in ARC_FIELDS:
        return _instance(field) in forged or _claims_to_be_ours(field, ours)
    return name == FIELD.lower() and _claims_to_be_ours(field, ours)


def _claims_to_be_ours(field: Field, ours: Sequence[str]) -> bool:
    """Returns whether a field claims that one of our names, or a host below it, wrote it.

    The server's own name anywhere in the results is enough. Programs disagree on how to
    read the field, so that every reading counts: encoded words decoded or not, comments
    removed or not.
    """
    value = field.value
    ways = {value.decode("latin-1"), value.decode("utf-8", "replace"), field.text}
    readings = {_as_read(text) for way in ways for text in (way, _uncommented(way))}
    if field.name.lower() in (FIELD.lower(), ARC_RESULTS.lower()):
        return any(ours[0] in read for read in readings) or any(
            _is_within(_authserv_id(read), name) for read in readings for name in ours
        )
    return any(
        _is_within(domain, name)
        for read in readings
        for domain in _SIGNING_DOMAIN.findall(f";{read}")
        for name in ours
    )


def _authserv_id(read: str) -> str:
    """Returns the authserv-id with its version; an ARC instance may stand before it."""
    return _INSTANCE.sub("", read).lstrip(";").partition(";")[0]


def _is_within(claimed: str, name: str) -> bool:
    # A version may follow the name directly, because white space was removed.
    return bool(re.search(rf"(?:^|\.){re.escape(name)}(?![a-z.-])", claimed))


def _instance(field: Field) -> str:
    found = _INSTANCE.search(_as_read(_uncommented(field.value.decode("latin-1"))))
    return found[1].lstrip("0") if found else ""


def _as_read(text: str) -> str:
    """Returns the text as a reader takes it: no padding, look-alikes as ASCII."""
    return _PADDING.sub("", lookalike.ascii_form(text))


def _uncommented(text: str) -> str:
    """Returns the text without its comments, which nest (RFC 5322 §3.2.2)."""
    kept, depth, start = [], 0, 0
    for found in _COMMENT_SIGN.finditer(text):
        if found[0] == "(":
            if not depth:
                kept.append(text[start : found.start()])
            depth += 1
        elif found[0] == ")" and depth:
            depth -= 1
            start = found.end()
    # What is never closed is not a comment.
    return text if depth else "".join([*kept, text[start:]])


def _result_text(result: Result) -> str:
    reason = f' reason="{result.reason}"' if result.reason else ""
    signature = result.signature
    if signature is None:
        return f"dkim={result.outcome}{reason}"
    return (
        f"dkim={result.outcome}{reason} header.d={signature.domain}"
        f" header.s={signature.selector} header.a={signature.algorithm}"
    )


def has_signed(found: list[Result], domains: frozenset[str]) -> bool:
    """Returns whether a signature of one of these domains was verified."""
    return any(r.outcome is Outcome.PASS and r.domain in domains for r in found)


def may_have_signed(found: list[Result], domains: frozenset[str]) -> bool:
    """Returns whether one of them has a signature whose key cannot be looked up now."""
    return any(r.outcome is Outcome.TEMPERROR and r.domain in domains for r in found)
