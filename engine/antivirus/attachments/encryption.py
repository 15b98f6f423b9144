"""Recognises encrypted documents and mail.

Done here because scanners call an encrypted file clean unless configured otherwise, and
know fewer kinds. Encrypted members of archives are found by `archive_members`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Set

from engine.antivirus.attachments.magic import HEAD
from engine.antivirus.formats import compound, pdf_encryption
from engine.antivirus.formats.inspection_budget import Budget, UnlistedError
from engine.mail.mime import smime

_BROKEN = (ValueError, struct.error, UnlistedError)
# RFC 9580 §6.2.1; text may come before the line, because many programs insert it there.
_PGP_WORDS = b"-----BEGIN PGP MESSAGE"
_PGP = re.compile(
    rb"^-----BEGIN PGP MESSAGE(?:, PART [^-\r\n]{1,20})?-----", re.MULTILINE
)
# [MS-OXORMMS] §2.1.3: mail with rights management
_RPMSG = b"\x76\xe8\x04\x60\xc4\x11\xe3\x86"
# Open Document 1.3, part 2, §4.8: in the manifest of an encrypted document
_OPEN_DOCUMENT = b"manifest:encryption-data"
_MANIFEST = "META-INF/manifest.xml"

_TYPES = {
    "multipart/encrypted": "message",
    "application/pgp-encrypted": "message",
    "application/x-microsoft-rpmsg-message": "message",
}


def of_types(content_types: Set[str]) -> str:
    """Returns what is encrypted by its content types; empty for what is not."""
    return next(filter(None, map(_TYPES.get, sorted(content_types))), "")


def is_unreadable(data: bytes, content_types: Set[str]) -> bool:
    """Returns whether the type says S/MIME and the content cannot be parsed as such."""
    return (
        not content_types.isdisjoint(smime.CONTENT_TYPES)
        and smime.kind_of(data) is None
    )


def needs_all(head: bytes) -> bool:
    """Returns whether `of_octets` needs the whole file, given its first octets."""
    return pdf_encryption.is_pdf(head) or smime.kind_of(head) is not None


def of_octets(data: bytes, content: smime.Content, budget: Budget) -> str:
    """Returns what a file is if encrypted: "PDF", "office document", "message", or empty.

    `content` is the result of parsing it as S/MIME. Raises TooMuchError.
    """
    if pdf_encryption.is_pdf(data):
        return "PDF" if pdf_encryption.needs_password(data, budget) else ""
    if data.startswith(compound.SIGNATURE):
        return "office document" if _is_locked(data) else ""
    # Almost no file holds the words, and finding that out is quick.
    has_words = data.find(_PGP_WORDS, 0, HEAD) >= 0
    if data.startswith(_RPMSG) or (has_words and _PGP.search(data[:HEAD])):
        return "message"
    is_signed = content.kind is smime.Kind.SIGNED and not content.is_broken
    return "" if content.kind is None or is_signed else "message"


def of_member(name: str, data: bytes, content: smime.Content, budget: Budget) -> str:
    """Returns `of_octets` for a file in an archive, which may be a document's manifest."""
    if name == _MANIFEST and _OPEN_DOCUMENT in data:
        return "office document"
    return of_octets(data, content, budget)


def _is_locked(data: bytes) -> bool:
    try:
        return compound.is_encrypted(data)
    except _BROKEN:
        # A broken file is left to the scanner's verdict.
        return False
