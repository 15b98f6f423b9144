"""Writes winmail.dat as Outlook does (MS-OXTNEF), with every field under control."""

from __future__ import annotations

import struct
from collections.abc import Iterable

SIGNATURE = struct.pack("<IH", 0x223E9F78, 0x0102)
MESSAGE_CLASS = bytes.fromhex("0703020000000000c000000000000046")
STORAGE_CLASS = bytes.fromhex("0b00000000000000c000000000000046")
OBJECT, STRING, UNICODE, BINARY, INTEGER = 0x0D, 0x1E, 0x1F, 0x102, 0x03


def attribute(level: int, name: int, kind: int, value: bytes) -> bytes:
    head = struct.pack("<BHHI", level, name, kind, len(value))
    return head + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(*written: bytes) -> bytes:
    return struct.pack("<I", len(written)) + b"".join(written)


def variable(name: int, kind: int, *values: bytes, head: bytes = b"") -> bytes:
    written = struct.pack("<HH", kind, name) + head + struct.pack("<I", len(values))
    for value in values:
        written += struct.pack("<I", len(value)) + value + b"\0" * (-len(value) % 4)
    return written


def text(name: int, value: str, charset: str = "") -> bytes:
    """Returns a text in UTF-16, or in a charset with one octet for a character."""
    if charset:
        return variable(name, STRING, value.encode(charset) + b"\0")
    return variable(name, UNICODE, value.encode("utf-16-le") + b"\0\0")


def integer(name: int, value: int) -> bytes:
    return struct.pack("<HHI", INTEGER, name, value)


def named(number: int, value: bytes) -> bytes:
    """Returns a property that is known by a class and number, or, with 0, by a text."""
    name = "Keywords".encode("utf-16-le")
    head = b"\1" * 16 + (
        struct.pack("<II", 0, number)
        if number
        else struct.pack("<II", 1, len(name)) + name
    )
    return variable(0x8001, BINARY, value, head=head)


def message_properties(*written: bytes) -> bytes:
    return attribute(1, 0x9003, 6, properties(*written))


def attachment(
    data: bytes,
    name: str = "",
    *,
    title: str = "",
    content_type: str = "",
    content_id: str = "",
    kind: int = 0,
    codepage: str = "cp1252",
) -> bytes:
    """Returns the attributes of one file; with `kind`, its octets are a property."""
    written = attribute(2, 0x9002, 6, b"\1\0" + b"\xff" * 4 + b"\0" * 8)
    if title:
        written += attribute(2, 0x8010, 1, title.encode(codepage, "replace") + b"\0")
    if not kind:
        written += attribute(2, 0x800F, 6, data)
    inside = [integer(0x3705, 1)]
    inside += [text(0x3707, name)] if name else []
    inside += [text(0x370E, content_type, "ascii")] if content_type else []
    inside += [text(0x3712, content_id)] if content_id else []
    inside += [variable(0x3701, kind, data)] if kind else []
    return written + attribute(2, 0x9005, 6, properties(*inside))


def attached_message(inner: bytes, name: str = "Agenda") -> bytes:
    """Returns the attributes of a message of Outlook's own form."""
    data = MESSAGE_CLASS + inner
    inside = [integer(0x3705, 5), text(0x3001, name), variable(0x3701, OBJECT, data)]
    return attribute(2, 0x9002, 6, b"\2\0" + b"\xff" * 4 + b"\0" * 8) + attribute(
        2, 0x9005, 6, properties(*inside)
    )


def write(
    *attributes: bytes, codepage: int = 1252, written: Iterable[bytes] = ()
) -> bytes:
    """Returns a winmail.dat with these attributes, `written` the message's properties."""
    start = attribute(1, 0x9006, 8, struct.pack("<I", 0x10000))
    start += attribute(1, 0x9007, 6, struct.pack("<II", codepage, 0))
    start += attribute(1, 0x8008, 7, b"IPM.Microsoft Mail.Note\0")
    inside = list(written)
    if inside:
        start += message_properties(*inside)
    return SIGNATURE + start + b"".join(attributes)
