"""Unpacks the folders of 7z archives: members compressed together (Methods.txt of 7-Zip)."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from engine.antivirus.formats.inspection_budget import UnlistedError

_MAX_DICTIONARY = 64 * 1024 * 1024  # octets that LZMA may keep

_COPY, _LZMA, _LZMA2 = b"\x00", b"\x03\x01\x01", b"\x21"
_DEFLATE, _BZIP2 = b"\x04\x01\x08", b"\x04\x02\x02"

BROKEN = (lzma.LZMAError, zlib.error, OSError, EOFError, ValueError, UnlistedError)


class _Decoder(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@dataclass(slots=True)
class Folder:
    """Members that are compressed together: where, how, and each one's unpacked size.

    `coder` is empty where several coders are chained, as with encryption.
    """

    coder: bytes
    properties: bytes
    stream: int  # which of the pack streams, counted from 0
    sizes: list[int]
    packed: bytes = field(default=b"", repr=False)
    has_crc: bool = False
    is_encrypted: bool = False


def unpacked(folder: Folder) -> Iterator[bytes]:
    """Yields the octets of one member after the other.

    Ends with the data. Raises one of BROKEN where it cannot be unpacked here.
    """
    decoder = _decoder(folder)
    source = folder.packed
    for size in folder.sizes:
        found = bytearray()
        while len(found) < size:
            piece = decoder.decompress(source, size - len(found))
            source = b""
            if not piece:
                return
            found += piece
        yield bytes(found)


class _Copy:
    def __init__(self) -> None:
        self._data, self._at = b"", 0

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        self._data = self._data or data
        found = self._data[self._at : self._at + max_length]
        self._at += len(found)
        return found


class _Inflate:
    def __init__(self) -> None:
        self._reader = zlib.decompressobj(-15)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        left = self._reader.unconsumed_tail or data
        return self._reader.decompress(left, max_length)


def _decoder(folder: Folder) -> _Decoder:
    if folder.coder == _COPY:
        return _Copy()
    if folder.coder == _DEFLATE:
        return _Inflate()
    if folder.coder == _BZIP2:
        return bz2.BZ2Decompressor()
    settings = _lzma_settings(folder.coder, folder.properties)
    # A dictionary larger than the output is never used, whatever the archive asks for.
    size = min(settings["dict_size"], max(4096, sum(folder.sizes)))
    if size > _MAX_DICTIONARY:
        raise UnlistedError
    return lzma.LZMADecompressor(
        lzma.FORMAT_RAW, None, [settings | {"dict_size": size}]
    )


def _lzma_settings(coder: bytes, properties: bytes) -> dict[str, int]:
    if coder == _LZMA and len(properties) == 5:
        rest, lc = divmod(properties[0], 9)
        pb, lp = divmod(rest, 5)
        size = int.from_bytes(properties[1:], "little")
        return {
            "id": lzma.FILTER_LZMA1,
            "dict_size": size,
            "lc": lc,
            "lp": lp,
            "pb": pb,
        }
    if coder == _LZMA2 and len(properties) == 1 and properties[0] <= 40:
        power = properties[0]
        size = 0xFFFFFFFF if power == 40 else (2 | power & 1) << power // 2 + 11
        return {"id": lzma.FILTER_LZMA2, "dict_size": size}
    raise UnlistedError
