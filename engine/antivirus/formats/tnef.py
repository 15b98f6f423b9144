"""Reads Outlook's winmail.dat ([MS-OXTNEF]): attachments' titles, data and properties."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x78\x9f\x3e\x22"  # §2.1.3.1
_TITLE = 0x00018010
_DATA = 0x0006800F
_ATTACHMENT = 0x00069005
_HEADER = struct.Struct("<BLL")
# Text in a property, with one octet or two for each character.
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0){4,255}")
_NARROW = re.compile(rb"[\x20-\x7e]{4,255}")


class Attribute(NamedTuple):
    """Its size in octets, possible names in it, and the octets of a file."""

    octets: int
    names: tuple[str, ...]
    data: bytes = b""


def attributes(data: bytes) -> Iterator[Attribute]:
    """Yields every attribute, up to where the file is broken."""
    at = 6
    while at + _HEADER.size <= len(data):
        _, kind, size = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        value = data[at : at + size]
        if kind == _TITLE:
            names = (value.rstrip(b"\0").decode("latin-1"),)
            yield Attribute(len(value), names)
        elif kind == _DATA:
            yield Attribute(len(value), ("",), value)
        else:
            found = _strings(value) if kind == _ATTACHMENT else ()
            yield Attribute(len(value), tuple(found))
        at += size + 2


def _strings(value: bytes) -> Iterator[str]:
    """Yields possible names among properties, without content ids and addresses."""
    wide = (found.decode("utf-16-le") for found in _WIDE.findall(value))
    narrow = (found.decode("ascii") for found in _NARROW.findall(value))
    yield from (
        text for text in (*wide, *narrow) if "@" not in text and ":/" not in text
    )
