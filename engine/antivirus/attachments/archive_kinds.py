"""Names the kind of an archive as the scanner's proof does (`coverage_proof.KINDS`)."""

from __future__ import annotations

from collections.abc import Iterator

from engine.antivirus.formats import rar, seven_zip, zips
from engine.mail.mime import file_names

_STARTS = (
    (zips.LOCAL_HEADER, "zip"),
    (b"\x1f\x8b", "tar.gz"),
    (b"\xfd7zXZ\0", "tar.xz"),
)
# Formats that unpackers also find after other content, such as a program.
_ANYWHERE = ((seven_zip, "7z"), (rar, "rar"))
_FURTHEST = 8 * 1024 * 1024
_MACROS = "vbaproject.bin"
# For members that cannot be read here, such as those packed with PPMd, only the name tells.
_ENDINGS = {
    **dict.fromkeys(("zip", "zipx"), "zip"),
    "7z": "7z",
    **dict.fromkeys(("rar", "cbr"), "rar"),
    **dict.fromkeys(("gz", "tgz"), "tar.gz"),
    **dict.fromkeys(("xz", "txz"), "tar.xz"),
}


def of_octets(data: bytes) -> Iterator[str]:
    """Yields the kinds of archive in a file."""
    yield from (kind for start, kind in _STARTS if data.startswith(start))
    for module, kind in _ANYWHERE:
        start = data.find(module.SIGNATURE, 0, _FURTHEST)
        # At offset 0 it counts as one, however broken.
        if start == 0 or (start > 0 and module.is_at(data, start)):
            yield kind


def of_member(name: str) -> Iterator[str]:
    """Yields the kinds that a member's name gives it, or the file that it is in."""
    if name.casefold().endswith(_MACROS):
        yield "docm"
    for ending in file_names.endings([name]) & _ENDINGS.keys():
        yield _ENDINGS[ending]
