"""What the signatures of a received message came to, for us and for its reader."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from engine import dns
from engine.mail.dkim.canonical import BodyDigests
from engine.mail.dkim.signature import Malformed, Signature, signatures
from engine.mail.dkim.verify import KeyUnavailable, Outcome, Result, verify
from engine.mail.header import Field, HeaderBlock

FIELD = "Authentication-Results"

# What may stand within a name: a comment that holds no other, white space, backslashes.
_PADDING = re.compile(r"\([^()]*\)|[\\\s]")

# Threads of their own: name servers that do not answer hold up nothing else.
_threads = ThreadPoolExecutor(16, thread_name_prefix="signatures")


class SignedBody:
    """The signatures that a header announces, and the hashes they need of the body."""

    def __init__(self, header: bytes) -> None:
        self.signatures: list[Signature | Malformed] = []
        if b"dkim-signature" in header.lower():
            self.signatures = signatures(HeaderBlock.salvage(header))
        self._digests = BodyDigests(
            {one.body_form for one in self.signatures if isinstance(one, Signature)}
        )

    def update(self, data: bytes) -> None:
        """Take the next octets of the body."""
        self._digests.update(data)

    async def results(self, header: HeaderBlock) -> list[Result]:
        """Check them all, once the body is complete. Asks name servers."""
        if not self.signatures:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_threads, self._verified, header)

    def _verified(self, header: HeaderBlock) -> list[Result]:
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


def recorded(header: HeaderBlock, server_name: str, found: list[Result]) -> HeaderBlock:
    """The header with our results on top (RFC 8601 §2)."""
    told = "; ".join(_told(result) for result in found) or "dkim=none"
    return header.prepended(FIELD, f"{server_name}; {told}")


def without_forged(header: HeaderBlock, server_name: str) -> HeaderBlock:
    """The header without results that claim to be ours."""
    if not header.get(FIELD):
        return header
    kept = tuple(f for f in header.fields if not _claims_to_be_ours(f, server_name))
    return HeaderBlock(kept)


def _claims_to_be_ours(field: Field, name: str) -> bool:
    """RFC 8601 §5: results under our own name can only be forged.

    Our name anywhere in it is enough: comments and quotes may stand around it,
    backslashes, spaces and comments within it, and some programs decode words first.
    """
    if field.name.lower() != FIELD.lower():
        return False
    ways = (field.value.decode("latin-1"), field.text)
    return any(name.lower() in _PADDING.sub("", way).lower() for way in ways)


def _told(result: Result) -> str:
    reason = f' reason="{result.reason}"' if result.reason else ""
    signature = result.signature
    if signature is None:
        return f"dkim={result.outcome}{reason}"
    return (
        f"dkim={result.outcome}{reason} header.d={signature.domain}"
        f" header.s={signature.selector} header.a={signature.algorithm}"
    )


def has_signed(found: list[Result], domains: frozenset[str]) -> bool:
    """Whether one of these domains has signed, and that is certain."""
    return any(r.outcome is Outcome.PASS and r.domain in domains for r in found)


def may_have_signed(found: list[Result], domains: frozenset[str]) -> bool:
    """Whether one of them has perhaps: its key cannot be had for the moment."""
    return any(r.outcome is Outcome.TEMPERROR and r.domain in domains for r in found)
