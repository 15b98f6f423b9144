"""Determines whether a PDF needs a password (ISO 32000-2 §7.6).

A PDF that only forbids printing or copying is encrypted too, with an empty password,
and every program opens it: court forms are made so. Scanners open it as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from engine.antivirus.formats.inspection_budget import Budget

SIGNATURE = b"%PDF-"
FRONT = 1024  # octets before the signature that programs tolerate
_MOST = 8 * 1024  # octets of the encryption dictionary, which is a few hundred long
# The cost, in octets of a message's budget, of reading one more reference to a dictionary,
# and of trying the password on one lock: a few milliseconds at most.
MENTION = 256
LOCK = 256 * 1024
_PADDING = bytes.fromhex(
    "28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a"
)


def _name(word: str) -> bytes:
    """A name however it is written: any character may be given by its number (§7.3.5)."""
    letters = (f"(?:{letter}|#(?i:{ord(letter):02x}))" for letter in word)
    return f"/{''.join(letters)}(?![A-Za-z0-9#])".encode()


_SPACE = rb"[\0\t\n\f\r ]"
_ENCRYPT = re.compile(
    _name("Encrypt") + _SPACE + rb"*(?:(\d{1,10})" + _SPACE + rb"+(\d{1,5})"
    + _SPACE + rb"+R|<<)"
)  # fmt: skip
_ID = re.compile(rb"/ID" + _SPACE + rb"*\[" + _SPACE + rb"*")
_CLEAR_METADATA = re.compile(rb"/EncryptMetadata" + _SPACE + rb"+false")
_NUMBER = re.compile(_SPACE + rb"*(-?\d{1,10})")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_LITERAL = re.compile(rb"\(((?:[^\\()]|\\.)*)\)", re.DOTALL)
_HEXADECIMAL = re.compile(rb"<([0-9A-Fa-f\s]*)>")


@dataclass(frozen=True, slots=True)
class _Lock:
    """What is needed to try a password (§7.6.4)."""

    revision: int
    length: int
    permissions: int
    covers_metadata: bool
    owner: bytes = field(repr=False)
    user: bytes = field(repr=False)
    first_id: bytes


def is_pdf(data: bytes) -> bool:
    """Returns whether programs take it for a PDF."""
    return SIGNATURE in data[:FRONT]


def needs_password(data: bytes, budget: Budget) -> bool:
    """Returns whether a password is needed to open it; True also where that is unclear.

    Raises TooMuchError.
    """
    try:
        return not all(map(_opens_without, _locks(data, budget)))
    except (ValueError, LookupError):
        return True


def _locks(data: bytes, budget: Budget) -> Iterator[_Lock]:
    """Yields each lock once; every save of the file may add a trailer that names it again.

    Raises ValueError, LookupError and TooMuchError.
    """
    known, locks = set[bytes](), set[_Lock]()
    first_id: bytes | None = None
    for found in _ENCRYPT.finditer(data):
        budget.spend(MENTION if found[1] else _MOST, members=0)
        reference = found[0] if found[1] else b""
        if reference in known:
            continue
        if reference:
            known.add(reference)
            budget.spend(len(data), members=0)
        if first_id is None:
            first_id = _first_id(data)
        lock = _lock(data, found, first_id)
        if lock not in locks:
            locks.add(lock)
            budget.spend(LOCK, members=0)
            yield lock


def _first_id(data: bytes) -> bytes:
    found = _ID.search(data)
    return _string_at(data[found.end() : found.end() + _MOST], 0) if found else b""


def _lock(data: bytes, found: re.Match[bytes], first_id: bytes) -> _Lock:
    """Reads the encryption dictionary of a trailer. Raises ValueError, LookupError."""
    start = found.end()
    if found[1]:
        mark = re.compile(
            rb"(?<!\d)" + found[1] + _SPACE + rb"+" + found[2] + _SPACE + rb"+obj"
        )
        places = [match.end() for match in mark.finditer(data)]
        start = places[-1]
    text = data[start : start + _MOST]
    return _Lock(
        revision=_number(text, b"/R"),
        length=_number(text, b"/Length", 40) // 8,
        permissions=_number(text, b"/P"),
        covers_metadata=not _CLEAR_METADATA.search(text),
        owner=_string(text, b"/O"),
        user=_string(text, b"/U"),
        first_id=first_id,
    )


def _after(text: bytes, name: bytes) -> int:
    """Returns the position of the value after a name. Raises LookupError."""
    found = re.search(re.escape(name) + rb"(?![A-Za-z0-9])" + _SPACE + rb"*", text)
    if found is None:
        raise LookupError
    return found.end()


def _number(text: bytes, name: bytes, default: int | None = None) -> int:
    try:
        found = _NUMBER.match(text, _after(text, name))
    except LookupError:
        if default is None:
            raise
        return default
    if found is None:
        raise ValueError("There is no number")
    return int(found[1])


def _string(text: bytes, name: bytes) -> bytes:
    return _string_at(text, _after(text, name))


def _string_at(text: bytes, at: int) -> bytes:
    if found := _LITERAL.match(text, at):
        return _ESCAPE.sub(_unescaped, found[1])
    if found := _HEXADECIMAL.match(text, at):
        return bytes.fromhex(b"".join(found[1].split()).decode())
    raise ValueError("There is no string")


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    if what[:1].isdigit():
        return bytes([int(what, 8) & 0xFF])
    return b"" if what in (b"\n", b"\r", b"\r\n") else _ESCAPES.get(what, what)


def _opens_without(lock: _Lock) -> bool:
    """Tries the empty password (§7.6.4.4.5, §7.6.4.4.10)."""
    if lock.revision >= 5:
        # 32 octets of digest, 8 of the salt to check with, 8 of the salt for the key.
        digest = _hardened if lock.revision >= 6 else _plain
        return len(lock.user) >= 48 and digest(lock.user[32:40]) == lock.user[:32]
    key = _key(lock)
    if lock.revision == 2:
        return _arc4(key, _PADDING) == lock.user
    made = hashlib.md5(_PADDING + lock.first_id, usedforsecurity=False).digest()
    for number in range(20):
        made = _arc4(bytes(octet ^ number for octet in key), made)
    return made == lock.user[:16]


def _key(lock: _Lock) -> bytes:
    """Computes algorithm 2 for the empty password."""
    permissions = (lock.permissions & 0xFFFFFFFF).to_bytes(4, "little")
    text = _PADDING + lock.owner[:32] + permissions + lock.first_id
    if lock.revision >= 4 and not lock.covers_metadata:
        text += b"\xff" * 4
    made = hashlib.md5(text, usedforsecurity=False).digest()
    # Revision 4 states its length in bits in one place and in octets in another.
    length = 16 if lock.revision == 4 else max(5, min(16, lock.length))
    if lock.revision == 2:
        return made[:5]
    for _ in range(50):
        made = hashlib.md5(made[:length], usedforsecurity=False).digest()
    return made[:length]


def _arc4(key: bytes, data: bytes) -> bytes:
    return Cipher(ARC4(key), mode=None).encryptor().update(data)


def _plain(salt: bytes) -> bytes:
    return hashlib.sha256(salt).digest()


def _hardened(salt: bytes) -> bytes:
    """Algorithm 2.B, of the empty password. At most 64 rounds and some 250."""
    key = hashlib.sha256(salt).digest()
    number = 0
    while True:
        cipher = Cipher(algorithms.AES(key[:16]), modes.CBC(key[16:32]))
        made = cipher.encryptor().update(key * 64)
        name = ("sha256", "sha384", "sha512")[sum(made[:16]) % 3]
        key = hashlib.new(name, made).digest()
        number += 1
        if number >= 64 and made[-1] <= number - 32:
            return key[:32]
