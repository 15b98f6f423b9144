"""What a message is found by: its files' digests, senders, subject and Message-ID.

Each is kept as 128 bits of an HMAC under the secret key. A digest of a file or a subject
would confirm a guess of what an encrypted message says, to anyone who has the database.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from enum import StrEnum

from engine.mail.address import Address, InvalidAddressError
from engine.mail.authors import authors
from engine.mail.errors import MailError
from engine.mail.header import HeaderBlock
from engine.mail.mime import part_walker, transfer_encoding
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.parts import Part
from engine.secrets import secret_keys

SALT = "incidents.message_key"
OCTETS = 16
# Files of one message that are indexed, and the seconds that reading them may take.
MOST_FILES = 200
SECONDS = 60.0
_REPLY = re.compile(r"^(?:(?:re|fw|fwd|aw|wg)\s*:\s*)+", re.IGNORECASE)
_SHA_256 = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    """What can be searched for."""

    FILE = "file"
    SENDER = "sender"
    SUBJECT = "subject"
    MESSAGE_ID = "message_id"


def key_of(kind: Kind, value: str) -> bytes:
    """Returns the key of a value that is in its normal form, by the current secret."""
    return bytes.fromhex(secret_keys.mac(SALT, f"{kind}:{value}"))[:OCTETS]


def searched(kind: Kind, value: str) -> list[str]:
    """Returns the keys of a value in hexadecimal, by each secret key."""
    found = secret_keys.macs(SALT, f"{kind}:{value}")
    return [one[: 2 * OCTETS] for one in found]


def normal(kind: Kind, text: str) -> str:
    """Returns the normal form of what was typed; empty where it cannot be one."""
    text = text.strip()
    match kind:
        case Kind.FILE:
            digest = re.sub(r"[\s:]", "", text).lower()
            return digest if _SHA_256.fullmatch(digest) else ""
        case Kind.SENDER:
            try:
                return Address.parse(text.strip("<>")).key
            except InvalidAddressError:
                return ""
        case Kind.SUBJECT:
            return _subject(text)
        case Kind.MESSAGE_ID:
            return text.strip("<>").strip()


def of_header(header: bytes, envelope_sender: str) -> set[bytes]:
    """Returns the keys of a message's senders, subject and Message-ID."""
    block = HeaderBlock.salvage(header)
    values = [
        (Kind.SUBJECT, block.text("Subject")),
        (Kind.MESSAGE_ID, block.text("Message-ID")),
        (Kind.SENDER, envelope_sender),
        *((Kind.SENDER, str(author)) for author in _authors(block)),
    ]
    return {
        key_of(kind, value) for kind, text in values if (value := normal(kind, text))
    }


def of_files(header: bytes, body: ByteSource) -> set[bytes]:
    """Returns the keys of the files of a message, those in attached messages too.

    Never raises for malformed content. A text file counts with either line ending.
    """
    found: set[bytes] = set()
    deadline = time.monotonic() + SECONDS
    for part in part_walker.walk(header, body):
        if len(found) >= MOST_FILES or time.monotonic() > deadline:
            break
        if part.is_attachment or part.filename:
            found.update(key_of(Kind.FILE, digest) for digest in _digests(part))
    return found


def _authors(block: HeaderBlock) -> list[Address]:
    try:
        return authors(block)
    except MailError:  # such as no From
        return []


def _subject(text: str) -> str:
    return " ".join(_REPLY.sub("", " ".join(text.split())).casefold().split())


def _digests(part: Part) -> Iterator[str]:
    region = part.region
    as_sent, as_saved = hashlib.sha256(), hashlib.sha256()
    is_text = part.content_type.startswith("text/") and part.encoding != "base64"
    for piece in transfer_encoding.pieces(
        region.source, part.encoding, region.start, region.end
    ):
        as_sent.update(piece)
        if is_text:
            # A CR and its LF in two pieces leave one digest less to be found by.
            as_saved.update(piece.replace(b"\r\n", b"\n"))
    yield as_sent.hexdigest()
    if is_text:
        yield as_saved.hexdigest()
