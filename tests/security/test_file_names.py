"""File names generated from Unicode's data, independently of our own tables."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote

import pytest

from engine.antivirus.attachments import policy
from engine.mail.mime.part_walker import walk
from portal.webmail.rendering.parsed_message import parse_message

UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}


def equivalents(characters: list[str]) -> dict[str, list[str]]:
    """Returns the characters that Unicode decomposes to "e", to "x" and to a dot."""
    found: dict[str, list[str]] = {"e": [], "x": [], ".": []}
    for c in characters:
        plain = unicodedata.normalize("NFKC", c).casefold()
        if plain in found and c not in "eExX.":
            found[plain].append(c)
    return found


def generated() -> Iterator[str]:
    codes = range(sys.maxunicode + 1)
    characters = [chr(n) for n in codes if not 0xD800 <= n < 0xE000]
    alike = equivalents(characters)
    for c in [c for c in characters if unicodedata.category(c) in UNSEEN]:
        yield f"run.e{c}xe"
        yield f"run.exe{c}"
        yield f"statement.pdf{c * 40}.exe"
    for e in alike["e"]:
        yield f"run.{e}xe"
    for x in alike["x"]:
        yield f"run.e{x}e"
    for dot in alike["."]:
        yield f"run{dot}exe"
        yield f"statement.pdf{dot}exe"


@cache
def names() -> list[str]:
    return list(dict.fromkeys(generated()))


def message(name: str) -> bytes:
    fields = (
        "From: jane@firm.example\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Disposition: attachment; filename*=utf-8''{quote(name)}\r\n\r\nx"
    )
    return fields.encode()


def test_there_are_as_many_names_as_were_asked_for() -> None:
    assert len(names()) >= 500


@pytest.mark.parametrize("part", range(10))
def test_a_name_is_refused_or_shown_for_what_it_is(part: int) -> None:
    passed = []
    for name in names()[part::10]:
        raw = message(name)
        header, _, body = raw.partition(b"\r\n\r\n")
        if policy.can_carry(walk(header + b"\r\n\r\n", body, strict=True)):
            [shown] = parse_message(raw).attachments
            hidden = {unicodedata.category(c) for c in shown.name} & (UNSEEN - {"Zs"})
            ending = unicodedata.normalize("NFKC", shown.name).casefold()[-4:]
            if hidden or ending == ".exe":
                passed.append(name)

    assert passed == []
