"""The header of a message, kept octet for octet (RFC 5322 §2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from engine.mail.errors import PermanentFailure
from engine.mail.mime.encoded_words import decode_words, encode_text, fold
from engine.mail.smtp_replies import BAD_HEADER

__all__ = ["Field", "HeaderBlock", "MalformedHeader", "decode_words", "encode_text"]

MAX_HEADER_OCTETS = 256 * 1024
MAX_FIELDS = 1000
# What is left of both for the fields that we, and the lists on the way, will add.
ROOM_FIELDS = 50
ROOM_OCTETS = 16 * 1024

_NAME = re.compile(r"[!-9;-~]{1,100}")
# One field up to the line end that is not followed by white space. Possessive
# throughout and used at one position only, so it takes linear time on any input.
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:[^\r]*+(?:\r\n[ \t][^\r]*+)*+\r\n")
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")
_FOLDED_VALUE = re.compile(rb"(?:[^\r\n\0]++|\r\n[ \t])*+")


class MalformedHeader(PermanentFailure):
    """The header is broken or hostile; the sentence says how."""

    def __init__(self, text: str) -> None:
        super().__init__(BAD_HEADER.saying(text))


class Field(NamedTuple):
    """One field: its name as written, and all of it, line ends included."""

    name: str
    raw: bytes

    @property
    def written(self) -> bytes:
        """What follows the colon, folded as it is, without the final line end."""
        return self.raw[self.raw.index(b":") + 1 : -2]

    @property
    def value(self) -> bytes:
        """What follows the colon, unfolded, without white space around it."""
        return self.written.replace(b"\r\n", b"").strip(b" \t")

    @property
    def text(self) -> str:
        """The value as a person reads it."""
        return decode_words(self.value)

    def with_written(self, written: bytes) -> Field:
        """The field with another value, folded already; ValueError if it breaks out."""
        start = self.raw.index(b":") + 1
        if self.raw[start:-2] == written:
            return self
        if not _FOLDED_VALUE.fullmatch(written):
            raise ValueError("A header value may not hold a line end or NUL")
        return Field(self.name, self.raw[:start] + written + b"\r\n")


@dataclass(frozen=True)
class HeaderBlock:
    """All fields in order. Names are found whatever their case."""

    fields: tuple[Field, ...]

    @classmethod
    def parse(cls, raw: bytes) -> HeaderBlock:
        """Take apart a header, with or without its closing empty line.

        Raises MalformedHeader for bare CR or LF, NUL, lines that are no field,
        more than MAX_FIELDS fields or more than MAX_HEADER_OCTETS octets.
        """
        if len(raw) > MAX_HEADER_OCTETS:
            raise MalformedHeader("The header is too long")
        if b"\0" in raw:
            raise MalformedHeader("The header holds a NUL")
        lines = raw.count(b"\r\n")
        if raw.count(b"\r") != lines or raw.count(b"\n") != lines:
            raise MalformedHeader("The header holds a CR or LF on its own")
        return cls(_fields(_without_empty_line(raw)))

    def check_can_grow(self) -> None:
        """Raise MalformedHeader where what is added later would make it unreadable."""
        if len(self.fields) > MAX_FIELDS - ROOM_FIELDS:
            raise MalformedHeader("The header has too many fields")
        if sum(len(f.raw) for f in self.fields) > MAX_HEADER_OCTETS - ROOM_OCTETS:
            raise MalformedHeader("The header is too long")

    @classmethod
    def salvage(cls, raw: bytes) -> HeaderBlock:
        """The fields that can be made out in a header nobody checked; never raises."""
        clean = _ANY_LINE_END.sub(b"\r\n", raw[:MAX_HEADER_OCTETS].replace(b"\0", b""))
        return cls(tuple(_salvaged(clean + b"\r\n")))

    def get(self, name: str) -> Field | None:
        """The first field of the name."""
        found = self._by_name.get(name.lower())
        return found[0] if found else None

    def all(self, name: str) -> list[Field]:
        return list(self._by_name.get(name.lower(), ()))

    def text(self, name: str) -> str:
        """The first field of the name as a person reads it; empty without one."""
        field = self.get(name)
        return field.text if field else ""

    def with_replaced(self, name: str, fn: Callable[[bytes], bytes]) -> HeaderBlock:
        """`fn` gives, for each field of the name, the new value after the colon.

        It gets and returns the value as written: the space after the colon and
        folding included, the final line end not. Raises ValueError for a value that
        would end the field early.
        """
        return self.with_each_replaced({name.lower()}, fn)

    def with_each_replaced(
        self, keys: Set[str], fn: Callable[[bytes], bytes]
    ) -> HeaderBlock:
        """Like `with_replaced`, for several names at once, given in lower case."""
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
        keys = {name.lower() for name in names}
        return HeaderBlock(
            tuple(field for field in self.fields if field.name.lower() not in keys)
        )

    def prepended(self, name: str, value: str) -> HeaderBlock:
        """With a new first field; the value is cleaned, encoded and folded."""
        return HeaderBlock((new_field(name, value), *self.fields))

    def to_bytes(self) -> bytes:
        """The header with its closing empty line."""
        return b"".join([field.raw for field in self.fields]) + b"\r\n"

    @cached_property
    def _by_name(self) -> dict[str, list[Field]]:
        index: dict[str, list[Field]] = {}
        for field in self.fields:
            index.setdefault(field.name.lower(), []).append(field)
        return index


def new_field(name: str, value: str) -> Field:
    """A field that we write; raises ValueError when the name cannot be one."""
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
            raise MalformedHeader("The header holds a line that is no field")
        fields.append(Field(found[1].decode("ascii"), found[0]))
        position = found.end()
        if len(fields) > MAX_FIELDS:
            raise MalformedHeader("The header holds too many fields")
    return tuple(fields)


def _salvaged(raw: bytes) -> Iterator[Field]:
    position, count = 0, 0
    while position < len(raw) and count < MAX_FIELDS:
        found = _FIELD.match(raw, position)
        if found:
            yield Field(found[1].decode("ascii"), found[0])
            count += 1
        position = found.end() if found else raw.index(b"\r\n", position) + 2
