"""Canonicalises header fields and bodies for hashing (RFC 6376 §3.4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from enum import StrEnum

from engine.mail.header import Field

_SPACES = re.compile(rb"  +")
_NEWLINES = b"\r\n" * 32_768


class Form(StrEnum):
    """The canonical form: how much may change in transit without breaking a signature."""

    SIMPLE = "simple"
    RELAXED = "relaxed"


def canonical_field(field: Field, form: Form) -> bytes:
    """Returns a header field with its line end, as hashed (RFC 6376 §3.4.1, §3.4.2)."""
    if form is Form.SIMPLE:
        return field.raw
    value = _shrunk(field.written.replace(b"\r\n", b"")).strip(b" ")
    return field.name.lower().encode() + b":" + value + b"\r\n"


class BodyDigest:
    """The SHA-256 hash of a body in one form, computed from chunks of any size.

    Whatever the body, it holds two octets and a number and takes linear time. Lines must
    end with CR LF; the data reader refuses all other bodies.
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self._hash = hashlib.sha256()
        self._held = b""
        self._newlines = 0
        self._is_empty = True

    def update(self, data: bytes) -> None:
        """Takes the next octets of the body."""
        data = self._held + data
        if self._form is Form.RELAXED:
            # Runs shrink first, so that at most one space precedes a line end.
            data = _shrunk(data).replace(b" \r\n", b"\r\n")
        # Hold back octets whose meaning depends on what follows.
        kept = len(data) - _open_ending(data, self._form)
        self._held, data = data[kept:], data[:kept]
        text = data.rstrip(b"\r\n")
        if text:
            self._write_newlines()
            self._hash.update(text)
            self._is_empty = False
        self._newlines += (len(data) - len(text)) // 2

    def digest(self) -> bytes:
        """Returns the hash; call it once. Empty lines at the end are not counted."""
        if self._held.strip(b" "):
            self._write_newlines()
            self._hash.update(self._held)
            self._is_empty = False
        # RFC 6376 §3.4.3: an empty body is one line end; §3.4.4: relaxed it is none.
        if self._form is Form.SIMPLE or not self._is_empty:
            self._hash.update(b"\r\n")
        return self._hash.digest()

    def _write_newlines(self) -> None:
        octets = 2 * self._newlines
        while octets:
            block = _NEWLINES[:octets]
            self._hash.update(block)
            octets -= len(block)
        self._newlines = 0


def _shrunk(data: bytes) -> bytes:
    """Returns the data with each run of white space as one space."""
    return _SPACES.sub(b" ", data.replace(b"\t", b" "))


def _open_ending(data: bytes, form: Form) -> int:
    """Returns how many octets at the end may be the start of something longer."""
    if data.endswith(b"\r"):
        return 2 if form is Form.RELAXED and data.endswith(b" \r") else 1
    return 1 if form is Form.RELAXED and data.endswith(b" ") else 0


class BodyDigests:
    """The hashes of one body, in every form that its signatures use."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._running = {form: BodyDigest(form) for form in forms}
        self._done: dict[Form, bytes] = {}

    def update(self, data: bytes) -> None:
        """Takes the next octets of the body."""
        for digest in self._running.values():
            digest.update(data)

    def digest(self, form: Form) -> bytes:
        """Returns the hash of the whole body in one of the forms given at the start."""
        if form not in self._done:
            self._done[form] = self._running[form].digest()
        return self._done[form]
