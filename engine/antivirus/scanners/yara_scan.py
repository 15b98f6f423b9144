"""Scans every part of a message in a file with YARA rules.

Also a program, `python -m engine.antivirus.scanners.yara_scan FILE`, which prints the
signature that it found, or nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from uuid import uuid4

import yara_x

from engine.antivirus.formats.unpack_limits import (
    ENCRYPTED,
    LIMITS,
    MAX_SECONDS,
    UNOPENED,
    Budget,
    Unscannable,
)
from engine.antivirus.scanners.unpack import unpack
from engine.mail import message
from engine.mail.mime import part_walker, parts

RULES = Path(__file__).with_name("rules.yar")
NICENESS = 5  # lower priority than the event loop, so that a scan delays no session


def find_signature(path: Path) -> str:
    """Returns the signature found, or an empty string. Writes parts beside the file.

    Raises TimeoutError.
    """
    budget = Budget()
    scanner = yara_x.Scanner(_rules())
    scanner.set_timeout(int(MAX_SECONDS))
    try:
        for piece in _pieces(path, budget):
            if found := _match(scanner, piece, budget):
                return found
    except Unscannable as error:
        return error.signature
    if budget.has_encrypted:
        return ENCRYPTED
    return UNOPENED if budget.has_closed else ""


def _pieces(path: Path, budget: Budget) -> Iterator[Path]:
    yield path
    for part in _parts(path):
        piece = path.parent / uuid4().hex
        piece.write_bytes(part.data())
        yield from unpack(piece, budget)
        piece.unlink()


def _parts(path: Path) -> Iterator[parts.Part]:
    header, body = message.split(message.with_line_ends(path.read_bytes()))
    try:
        yield from part_walker.walk(header, body, strict=True)
    except part_walker.TooManyParts as error:
        raise Unscannable(LIMITS) from error


def _match(scanner: yara_x.Scanner, piece: Path, budget: Budget) -> str:
    budget.check_time()
    try:
        found = scanner.scan_file(str(piece)).matching_rules
    except yara_x.TimeoutError as error:
        raise TimeoutError from error
    return found[0].identifier.replace("_", ".") if found else ""


@cache
def _rules() -> yara_x.Rules:
    return yara_x.compile(RULES.read_text())


if __name__ == "__main__":
    os.nice(NICENESS)
    sys.stdout.write(find_signature(Path(sys.argv[1])))
