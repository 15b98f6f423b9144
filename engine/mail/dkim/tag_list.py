"""Parses tag=value lists of signatures and key records (RFC 6376 §3.2)."""

from __future__ import annotations

import base64
import binascii
import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPACE = re.compile(r"[ \t\r\n]+")
_VALUE = re.compile(r"[!-:<-~ \t\r\n]*")
MAX_OCTETS = 16_384


class TagError(ValueError):
    """A list or the value of a tag is malformed; the text says how."""


def parse(text: str) -> dict[str, str]:
    """Returns the value of each tag, without white space around it. Raises TagError."""
    if len(text) > MAX_OCTETS:
        raise TagError("too long")
    specs = text.split(";")
    # RFC 6376 §3.2: one semicolon may stand at the end.
    if not specs[-1].strip():
        specs.pop()
    tags: dict[str, str] = {}
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise TagError("not a list of tags")
        if name in tags:
            raise TagError(f"tag {name} twice")
        tags[name] = value.strip()
    return tags


def required(tags: dict[str, str], name: str) -> str:
    """Returns the value of a required tag. Raises TagError."""
    if not tags.get(name):
        raise TagError(f"no tag {name}")
    return tags[name]


def decoded(value: str) -> bytes:
    """Decodes base64, in which white space may stand anywhere. Raises TagError."""
    try:
        return base64.b64decode(_SPACE.sub("", value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise TagError("not base64") from error


def words(value: str) -> list[str]:
    """Returns the parts of a value between colons."""
    return [word.strip() for word in value.split(":")]


def timestamp(value: str) -> int:
    """Returns seconds since 1970; RFC 6376 §3.5 allows twelve digits. Raises TagError."""
    if not re.fullmatch(r"[0-9]{1,12}", value):
        raise TagError("not a time")
    return int(value)
