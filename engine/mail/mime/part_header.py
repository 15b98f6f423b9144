"""Reads what the header of a part says of its body (RFC 2045, RFC 2183)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from engine.mail.header import MAX_FIELDS, Field, HeaderBlock
from engine.mail.mime import file_names, parameters
from engine.mail.mime.boundaries import Region
from engine.mail.mime.encoded_words import decode_words

# Octets. A part with a longer header is taken as all body.
MAX_PART_HEADER_OCTETS = 64 * 1024

# Headers that are remembered, up to this length: many parts of most mail have one of a few,
# and pages read a message again for its frame.
CACHED, CACHED_OCTETS = 1024, 512
# Octets of a part in which its header is looked for at first: few are longer.
_USUAL_HEADER_OCTETS = 2 * 1024

_FIRST_LINE_IS_EMPTY = (b"\r\n", b"\n")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_CONTENT_LINE = b"\ncontent-"
# No possessive group: before Python 3.11.4, one that fails halfway keeps what it took.
_CONTENT_FIELD = re.compile(
    rb"(content-[!-9;-~]*+)[ \t]*+:[^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*", re.IGNORECASE
)
_NONE: Mapping[str, str] = MappingProxyType({})
_TYPE = re.compile(r"[^\s/]{1,80}/[^\s/]{1,80}")


class PartHeader(NamedTuple):
    """What the header of a part says of its body: `Part` tells what the fields mean.

    `content_type` is empty where the header has none.
    """

    block: HeaderBlock
    content_type: str = ""
    parameters: Mapping[str, str] = _NONE
    filename: str = ""
    disposition: str = ""
    content_id: str = ""
    encoding: str = ""


def split(region: Region) -> tuple[PartHeader, Region]:
    """Returns the header and the body of a part, divided at its first empty line."""
    source, start, end = region
    limit = min(end, start + MAX_PART_HEADER_OCTETS)
    octets = source[start : min(limit, start + _USUAL_HEADER_OCTETS)]
    header, size = _header_in(octets)
    if header is None and start + len(octets) < limit:
        octets = source[start:limit]
        header, size = _header_in(octets)
    if header is not None:
        return read(header), Region(source, start + size, end)
    if limit < end:
        return read(b""), region
    return read(octets), Region(source, end, end)


def _header_in(octets: bytes) -> tuple[bytes | None, int]:
    """Returns the header at the start of a part, and its size with the empty line."""
    if octets.startswith(_FIRST_LINE_IS_EMPTY):
        return b"", octets.index(b"\n") + 1
    found = _EMPTY_LINE.search(octets)
    return (octets[: found.start()], found.end()) if found else (None, 0)


def read(header: bytes) -> PartHeader:
    """Reads a header, with or without its empty line; takes any octets."""
    if len(header) > CACHED_OCTETS:
        return _read(header)
    return _remembered(header)


def _read(header: bytes) -> PartHeader:
    fields = tuple(islice(_content_fields(header.replace(b"\0", b"")), MAX_FIELDS))
    values = {one.name.lower(): one.value for one in reversed(fields)}
    content_type, content = "", dict[str, str]()
    if "content-type" in values:
        content_type, content = parameters.parse(values["content-type"])
        if not _TYPE.fullmatch(content_type):
            content_type = "text/plain"  # RFC 2045 §5.2
    disposition, of_disposition = "", dict[str, str]()
    if written := values.get("content-disposition"):
        disposition, of_disposition = parameters.parse(written)
    encoding, content_id = "", ""
    if written := values.get("content-transfer-encoding"):
        encoding = parameters.main_value(written).strip('"')
    if written := values.get("content-id"):
        content_id = decode_words(written).strip(" <>")
    name = of_disposition.get("filename") or content.get("name", "")
    return PartHeader(
        HeaderBlock(fields),
        content_type,
        MappingProxyType(content),
        file_names.canonical(name) if name else "",
        disposition,
        content_id,
        encoding,
    )


_remembered = lru_cache(maxsize=CACHED)(_read)


def _content_fields(header: bytes) -> Iterator[Field]:
    """Yields the fields that describe a body; the others are not even parsed."""
    lines = b"\n" + header.lower()  # one octet ahead: a field begins where its "\n" is
    at = lines.find(_CONTENT_LINE)
    while at >= 0:
        found = _CONTENT_FIELD.match(header, at)
        if found:
            yield _field(found)
        at = lines.find(_CONTENT_LINE, found.end() if found else at + 1)


def _field(found: re.Match[bytes]) -> Field:
    """Returns a field whose lines all end with CR LF."""
    raw = found[0]
    if b"\n" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return Field(found[1].decode("ascii"), raw + b"\r\n")
