"""Groups messages into conversations, by their own headers alone (RFC 5322 §3.6.4)."""

from __future__ import annotations

import re
from hashlib import blake2b
from secrets import token_bytes

from engine.mail.header import HeaderBlock

# Octets of a field that are read.
LIMIT = 8000

_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,500}>")
# "Re:" and "Fwd:" in English, German, Scandinavian, French and Italian mail programs.
_REPLY_PREFIX = re.compile(
    r"\s*(?:re|fw|fwd|aw|wg|sv|vs|tr|atb)\s*(?:\[\d{1,3}\])?\s*:\s*", re.IGNORECASE
)


def conversation_id(header: HeaderBlock) -> int:
    """Returns a number that all messages of a conversation share, from 1 to 2**63 - 1.

    It is a hash of the id of the first message: the first of References, else
    In-Reply-To, else the message's own. A reply that names none is grouped by its
    subject. A message without any of these stands alone. Never raises; takes bounded
    time.
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
    """Returns the subject without "Re:", "Fwd:" and the like before it, casefolded."""
    while found := _REPLY_PREFIX.match(subject):
        subject = subject[found.end() :]
    return subject.strip().casefold()


def _first_id(header: HeaderBlock, name: str) -> bytes:
    field = header.get(name)
    found = _MESSAGE_ID.search(field.value[:LIMIT]) if field else None
    return found[0] if found else b""


def _number(name: bytes) -> int:
    digest = blake2b(name, digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 1) or 1
