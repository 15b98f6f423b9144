"""Which conversation a message belongs to, by what its own header says."""

from __future__ import annotations

import re
from hashlib import blake2b
from secrets import token_bytes

from engine.mail.header import HeaderBlock

# Octets of a field that are looked at.
LIMIT = 8000

_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,500}>")
_ANSWER_PREFIX = re.compile(
    r"\s*(?:re|fw|fwd|aw|wg|sv|vs|tr|atb)\s*(?:\[\d{1,3}\])?\s*:\s*", re.IGNORECASE
)


def thread_of(header: HeaderBlock) -> int:
    """A number that all messages of one conversation share, from 1 to 2**63 - 1.

    It names the message that began it: the first of References, else In-Reply-To, else
    the message itself (RFC 5322 §3.6.4). An answer that names none goes by its subject.
    A message that says nothing of itself stands alone. Never raises; takes bounded time.
    """
    start = _first_id(header, "References") or _first_id(header, "In-Reply-To")
    if start:
        return _number(start)
    subject = header.text("Subject")[:LIMIT]
    plain = plain_subject(subject)
    if plain and plain != subject.strip().casefold():
        return _number(b"subject " + plain.encode("utf-8", "replace"))
    own = _first_id(header, "Message-ID") or header.to_bytes().strip()
    return _number(own or token_bytes())


def plain_subject(subject: str) -> str:
    """The subject without "Re:" and the like before it, in small letters."""
    while found := _ANSWER_PREFIX.match(subject):
        subject = subject[found.end() :]
    return subject.strip().casefold()


def _first_id(header: HeaderBlock, name: str) -> bytes:
    field = header.get(name)
    found = _MESSAGE_ID.search(field.value[:LIMIT]) if field else None
    return found[0] if found else b""


def _number(name: bytes) -> int:
    digest = blake2b(name, digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 1) or 1
