"""Reads and edits a message's header, octet for octet (RFC 5322 §2.2).

What we do not change stays as it is: a header that was parsed and written again would
break DKIM signatures and lose what we did not understand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from engine.mail import header_faults
from engine.mail.errors import PermanentFailure
from engine.mail.mime.encoded_words import decode_words, encode_text, fold
from engine.mail.smtp_replies import BAD_HEADER

MAX_HEADER_OCTETS = 256 * 1024
MAX_FIELDS = 1000
# Reserved of both for the fields that we, and the lists on the way, will add: a message
# that was accepted must stay parseable.
ROOM_FIELDS = 50
ROOM_OCTETS = 16 * 1024

TOO_LONG = f"The header is longer than {(MAX_HEADER_OCTETS - ROOM_OCTETS) // 1024} kB"
TOO_MANY_FIELDS = f"The header has more than {MAX_FIELDS - ROOM_FIELDS} fields"

_NAME = re.compile(r"[!-9;-~]{1,100}")
# One field, up to the line end that is not followed by white space. Possessive throughout
# and tried at one position only, so that it takes linear time on any input.
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:[^\r]*+(?:\r\n[ \t][^\r]*+)*+\r\n")
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")
_FOLDED_VALUE = re.compile(rb"(?:[^\r\n\0]++|\r\n[ \t])*+")


class MalformedHeader(PermanentFailure):
    """The header is malformed or hostile; the text says how, to the sender."""

    def __init__(self, text: str) -> None:
        super().__init__(BAD_HEADER.saying(text))


class Field(NamedTuple):
    """One field: its name as written, and the whole of it, line ends included."""

    name: str
    raw: bytes

    @property
    def written(self) -> bytes:
        """The value with its folding, without the final line end."""
        return self.raw[self.raw.index(b":") + 1 : -2]

    @property
    def value(self) -> bytes:
        """The value unfolded, without white space around it."""
        return self.written.replace(b"\r\n", b"").strip(b" \t")

    @property
    def text(self) -> str:
        """The value as a person reads it: encoded words decoded, on one line."""
        return decode_words(self.value)

    def with_written(self, written: bytes) -> Field:
        """Returns the field with another value, folded already.

        Raises ValueError for a value that would end the field early.
        """
        start = self.raw.index(b":") + 1
        if self.raw[start:-2] == written:
            return self
        if not _FOLDED_VALUE.fullmatch(written):
            raise ValueError("A header value may not hold a line end or NUL")
        return Field(self.name, self.raw[:start] + written + b"\r\n")


@dataclass(frozen=True)
class HeaderBlock:
    """All fields of a header, in order. Names are compared without regard to case."""

    fields: tuple[Field, ...]

    @classmethod
    def parse(cls, raw: bytes) -> HeaderBlock:
        """Parses a header, with or without its closing empty line.

        Raises MalformedHeader for bare CR or LF, NUL, lines that are no field,
        more than MAX_FIELDS fields or more than MAX_HEADER_OCTETS octets.
        """
        if len(raw) > MAX_HEADER_OCTETS:
            raise MalformedHeader(TOO_LONG)
        if b"\0" in raw:
            found = header_faults.holds(raw, raw.index(b"\0"), "a NUL character")
            raise MalformedHeader(found)
        lines = raw.count(b"\r\n")
        if raw.count(b"\r") != lines or raw.count(b"\n") != lines:
            bare = _BARE_LINE_END.search(raw)
            at = bare.start() if bare else 0
            found = header_faults.holds(raw, at, "a CR or LF on its own")
            raise MalformedHeader(found)
        return cls(_fields(_without_empty_line(raw)))

    def check_can_grow(self) -> None:
        """Raises MalformedHeader where fields added later would exceed the limits."""
        if len(self.fields) > MAX_FIELDS - ROOM_FIELDS:
            raise MalformedHeader(TOO_MANY_FIELDS)
        if sum(len(f.raw) for f in self.fields) > MAX_HEADER_OCTETS - ROOM_OCTETS:
            raise MalformedHeader(TOO_LONG)

    @classmethod
    def salvage(cls, raw: bytes) -> HeaderBlock:
        """Returns the fields that can be found in an unchecked header; never raises."""
        clean = raw[:MAX_HEADER_OCTETS].replace(b"\0", b"")
        # Most headers were checked, and counting is ten times as fast as replacing.
        if not clean.count(b"\r") == clean.count(b"\n") == clean.count(b"\r\n"):
            clean = _ANY_LINE_END.sub(b"\r\n", clean)
        return cls(tuple(_salvaged(clean + b"\r\n")))

    def get(self, name: str) -> Field | None:
        """Returns the first field of the name."""
        found = self._by_name.get(name.lower())
        return found[0] if found else None

    def all(self, name: str) -> list[Field]:
        """Returns every field of the name, from the top."""
        return list(self._by_name.get(name.lower(), ()))

    def text(self, name: str) -> str:
        """Returns the text of the first field of the name; empty without one."""
        field = self.get(name)
        return field.text if field else ""

    def with_replaced(self, name: str, fn: Callable[[bytes], bytes]) -> HeaderBlock:
        """Returns the header with `fn` applied to the value of each field of the name.

        `fn` takes and returns the value as written: with folding and the space after the
        colon, without the final line end. Raises ValueError for a value that would end
        the field early.
        """
        return self.with_each_replaced({name.lower()}, fn)

    def with_each_replaced(
        self, keys: Set[str], fn: Callable[[bytes], bytes]
    ) -> HeaderBlock:
        """Does the same for several names in one pass; `keys` are in lower case."""
        fields = tuple(
            [
                field.with_written(fn(field.written))
                if field.name.lower() in keys
                else field
                for field in self.fields
            ]
        )
        return HeaderBlock(fields)

    def without(self, *names: str) -> HeaderBlock:
        """Returns the header without the fields of these names."""
        keys = {name.lower() for name in names}
        if keys.isdisjoint(self._by_name):
            return self
        return HeaderBlock(
            tuple(field for field in self.fields if field.name.lower() not in keys)
        )

    def prepended(self, name: str, value: str) -> HeaderBlock:
        """Returns the header with a new first field; see `new_field`."""
        return HeaderBlock((new_field(name, value), *self.fields))

    def to_bytes(self) -> bytes:
        """Returns the header with its closing empty line."""
        return b"".join([field.raw for field in self.fields]) + b"\r\n"

    @cached_property
    def _by_name(self) -> dict[str, list[Field]]:
        index: dict[str, list[Field]] = {}
        for field in self.fields:
            index.setdefault(field.name.lower(), []).append(field)
        return index


def new_field(name: str, value: str) -> Field:
    """Returns a field of ours, its value freed of controls, encoded and folded.

    Raises ValueError when the name is not a valid field name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header field")
    return Field(
        name, f"{name}: {fold(encode_text(value), len(name) + 2)}\r\n".encode()
    )


def _without_empty_line(raw: bytes) -> bytes:
    if raw.endswith(b"\r\n\r\n") or raw == b"\r\n":
        return raw[:-2]
    return raw if raw.endswith(b"\r\n") or not raw else raw + b"\r\n"


def _fields(raw: bytes) -> tuple[Field, ...]:
    fields: list[Field] = []
    position, end = 0, len(raw)
    match = _FIELD.match
    while position < end:
        found = match(raw, position)
        if not found:
            raise MalformedHeader(header_faults.no_field(raw, position))
        fields.append(Field(found[1].decode("ascii"), found[0]))
        position = found.end()
        if len(fields) > MAX_FIELDS:
            raise MalformedHeader(TOO_MANY_FIELDS)
    return tuple(fields)


def _salvaged(raw: bytes) -> Iterator[Field]:
    position, count = 0, 0
    while position < len(raw) and count < MAX_FIELDS:
        found = _FIELD.match(raw, position)
        if found:
            yield Field(found[1].decode("ascii"), found[0])
            count += 1
        position = found.end() if found else raw.index(b"\r\n", position) + 2
