"""Values with parameters, such as Content-Type (RFC 2045 §5.1, RFC 2231)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote_to_bytes

from engine.mail import charset
from engine.mail.words import decode_words

MAX_VALUE_OCTETS = 16 * 1024
MAX_PARAMETERS = 100

_MAIN = re.compile(rb"[ \t]*+([^;]*)")
_PARAMETER = re.compile(
    rb';[ \t]*+([^\s=;"]++)[ \t]*+=[ \t]*+(?:"((?:[^"\\]++|\\.)*+)"?|([^;]*+))[^;]*+|;[^;]*+'
)
_QUOTED_PAIR = re.compile(rb"\\(.)")
# RFC 2231 §3 and §4: name*, name*0, name*0*
_NAME = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_EXTENDED = re.compile(rb"([^']{0,40})'[^']{0,40}'(.*)", re.S)

# Not too long, and nothing that could be taken for an encoded word
_SAFE_IN_QUOTES = re.compile(r"(?:(?!=\?)[ -~]){0,60}")
_MAX_UNSPLIT = 60
_CHUNK = re.compile(r"(?:%..|[^%]){1,20}")


def parse(value: bytes) -> tuple[str, dict[str, str]]:
    """The value itself, in lower case, and its parameters; takes any octets.

    Names are in lower case. Continuations are joined, charsets decoded, and in names
    of files encoded words too, though RFC 2047 §5 forbids them. A boundary is left as
    it is, one character an octet.
    """
    value = value[:MAX_VALUE_OCTETS]
    main = _MAIN.match(value)
    start = main.end() if main else 0
    text = charset.on_one_line(charset.decode(main[1] if main else b"")).strip()
    pieces: dict[str, list[tuple[int, bool, bytes]]] = {}
    for name, number, extended, piece in _pieces(value, start):
        pieces.setdefault(name, []).append((number, extended, piece))
    return text.lower(), {
        name: _text(name, *_joined(found)) for name, found in pieces.items()
    }


def write(name: str, text: str) -> str:
    """One parameter, `name="text"` or in the pieces of RFC 2231, ready to be folded."""
    text = charset.on_one_line(text)
    if _SAFE_IN_QUOTES.fullmatch(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    octets = "utf-8''" + quote(text.encode("utf-8", "replace"), safe="")
    if len(octets) <= _MAX_UNSPLIT:
        return f"{name}*={octets}"
    chunks = _CHUNK.findall(octets)
    return "; ".join(f"{name}*{at}*={chunk}" for at, chunk in enumerate(chunks))


def _pieces(value: bytes, start: int) -> Iterator[tuple[str, int, bool, bytes]]:
    for count, found in enumerate(_PARAMETER.finditer(value, start)):
        if count == MAX_PARAMETERS:
            return
        name = _NAME.fullmatch((found[1] or b"").decode("latin-1").lower())
        if name:
            quoted = found[2] is not None
            raw = _QUOTED_PAIR.sub(rb"\1", found[2]) if quoted else found[3].strip()
            yield name[1], int(name[2] or -1), bool(name[3]), raw


def _joined(pieces: list[tuple[int, bool, bytes]]) -> tuple[bytes, str]:
    """One value and its charset, from numbered pieces, an extended or a plain one."""
    numbered = sorted({piece[0]: piece for piece in pieces if piece[0] >= 0}.values())
    chosen = numbered or sorted(pieces, key=lambda piece: not piece[1])[:1]
    first = _EXTENDED.fullmatch(chosen[0][2]) if chosen[0][1] else None
    values = [first[2] if first else chosen[0][2], *(piece[2] for piece in chosen[1:])]
    octets = b"".join(
        unquote_to_bytes(value) if extended else value
        for value, (_, extended, _) in zip(values, chosen, strict=True)
    )
    return octets, first[1].decode("latin-1") if first else ""


def _text(name: str, octets: bytes, charset_name: str) -> str:
    if name == "boundary":
        return octets.decode("latin-1")
    if name in ("filename", "name") and not charset_name:
        return decode_words(octets)
    return charset.on_one_line(charset.decode(octets, charset_name))
