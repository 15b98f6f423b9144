"""Parses and writes fields with parameters, such as Content-Type (RFC 2045 §5.1, 2231)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from engine.mail.mime import charset
from engine.mail.mime.encoded_words import decode_words

MAX_VALUE_OCTETS = 16 * 1024
MAX_PARAMETERS = 100
# Values that are remembered, up to this length: most mail has one of a few, and a message
# asks for each several times.
CACHED, CACHED_OCTETS = 1024, 128

# A value as almost every program writes it: in ASCII, without comments, escapes, pieces and
# encoded words. No possessive group: before Python 3.11.4, one that fails halfway keeps
# what it took.
_WRITTEN_PLAINLY = re.compile(
    rb"[ \t\r\n]*+([^\0- \";()\\\x7f-\xff]++)"
    rb"((?:[ \t\r\n]*+;[ \t\r\n]*+[0-9A-Za-z-]++"
    rb"=(?:\"[ !#-\[\]-~]*+\"|[!#-'*-:<-\[\]-~]++))*)[ \t\r\n]*+;?[ \t\r\n]*+"
)
_PLAIN_PARAMETER = re.compile(r"([0-9A-Za-z-]++)=(?:\"([^\"]*+)\"|([^\s;]++))")
_OUTSIDE = re.compile(rb"[^;(]*+")
_NAMED = re.compile(rb"[^\s=;\"()]++")
_QUOTED = re.compile(rb'"((?:[^"\\]++|\\.)*+)"?', re.DOTALL)
_UNQUOTED = re.compile(rb"[^;]*+")
_SPACE = re.compile(rb"[ \t\r\n]*+")
_IN_COMMENT = re.compile(rb"[()]|\\.", re.DOTALL)
# Parameters in which parentheses are text: "report (1).pdf" has no comment in it.
_FREE_TEXT = ("filename", "name")
_QUOTED_PAIR = re.compile(rb"\\(.)")
# RFC 2231 §3 and §4: name*, name*0, name*0*
_NAME = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_EXTENDED = re.compile(rb"([^']{0,40})'[^']{0,40}'(.*)", re.S)

# Not too long, and nothing that could be taken for an encoded word.
_SAFE_IN_QUOTES = re.compile(r"(?:(?!=\?)[ -~]){0,60}")
_MAX_UNSPLIT = 60
_CHUNK = re.compile(r"(?:%..|[^%]){1,20}")


def parse(value: bytes) -> tuple[str, dict[str, str]]:
    """Returns the main value, in lower case, and the parameters; takes any octets.

    Parameter names are in lower case. Comments (RFC 822 §3.4.3) are removed,
    continuations joined and charsets decoded; in file names encoded words are decoded
    too, which RFC 2047 §5 forbids and many programs write. A boundary is returned
    undecoded, one character for each octet.
    """
    if len(value) > CACHED_OCTETS:
        return _parsed(value)
    main, named = _remembered(value)
    return main, dict(named)


def _parsed(value: bytes) -> tuple[str, dict[str, str]]:
    plain = _WRITTEN_PLAINLY.fullmatch(value[:MAX_VALUE_OCTETS])
    if plain and b"=?" not in value and value.count(b";") <= MAX_PARAMETERS:
        found = _PLAIN_PARAMETER.findall(plain[2].decode("ascii"))
        named = {name.lower(): quoted or bare for name, quoted, bare in reversed(found)}
        return plain[1].decode("ascii").lower(), named
    return _parsed_from_any(value[:MAX_VALUE_OCTETS])


def _parsed_from_any(value: bytes) -> tuple[str, dict[str, str]]:
    reader = _Reader(value)
    main = reader.main()
    pieces: dict[str, list[tuple[int, bool, bytes]]] = {}
    for name, number, extended, piece in reader.pieces():
        pieces.setdefault(name, []).append((number, extended, piece))
    return main, {name: _text(name, *_joined(found)) for name, found in pieces.items()}


_remembered = lru_cache(maxsize=CACHED)(_parsed)


def main_value(value: bytes) -> str:
    """Returns the main value, in lower case, without comments and spaces."""
    if len(value) <= CACHED_OCTETS:
        return _remembered(value)[0]
    return _Reader(value[:MAX_VALUE_OCTETS]).main()


def repeats(value: bytes, name: str) -> bool:
    """Returns whether a parameter occurs twice with different values.

    Programs disagree about which of the two counts.
    """
    if value.lower().count(name.encode()) < 2:
        return False
    reader = _Reader(value[:MAX_VALUE_OCTETS])
    reader.main()
    return len({(n, piece) for key, n, _, piece in reader.pieces() if key == name}) > 1


def write(name: str, text: str) -> str:
    """Returns a parameter as `name="text"`, or in the pieces of RFC 2231, to be folded."""
    text = charset.on_one_line(text)
    if _SAFE_IN_QUOTES.fullmatch(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    octets = "utf-8''" + quote(text.encode("utf-8", "replace"), safe="")
    if len(octets) <= _MAX_UNSPLIT:
        return f"{name}*={octets}"
    chunks = _CHUNK.findall(octets)
    return "; ".join(f"{name}*{at}*={chunk}" for at, chunk in enumerate(chunks))


class _Reader:
    """Reads a value from its start to its end, in linear time."""

    def __init__(self, value: bytes) -> None:
        self.value = value
        self.at = 0
        self.comments = _comments(value)

    def main(self) -> str:
        """Returns the value before the first parameter.

        White space may stand between any two tokens (RFC 822 §3.1.4); all is removed.
        """
        text = charset.on_one_line(charset.decode(self._to_semicolon()))
        return "".join(text.split()).lower()

    def pieces(self) -> Iterator[tuple[str, int, bool, bytes]]:
        """Yields each parameter's name, number, whether percent-encoded, and octets."""
        for _ in range(MAX_PARAMETERS):
            if self.at >= len(self.value):
                return
            self.at += 1
            self._skip()
            named = self._take(_NAMED)
            self._skip()
            if not named or self.value[self.at : self.at + 1] != b"=":
                self._to_semicolon()
                continue
            self.at += 1
            name = _NAME.fullmatch(named.decode("latin-1").lower())
            piece = self._piece(is_free=bool(name and name[1] in _FREE_TEXT))
            if name:
                yield name[1], int(name[2] or -1), bool(name[3]), piece

    def _piece(self, *, is_free: bool) -> bytes:
        """Returns the value of one parameter; leaves the reader at its semicolon."""
        self._take(_SPACE)
        start = self.at
        self._skip()
        quoted = _QUOTED.match(self.value, self.at)
        if quoted:
            self.at = quoted.end()
            self._to_semicolon()
            return _QUOTED_PAIR.sub(rb"\1", quoted[1])
        if not is_free:
            return self._to_semicolon().strip()
        self.at = start
        return self._take(_UNQUOTED).strip()

    def _to_semicolon(self) -> bytes:
        """Returns what stands before the next semicolon, without comments."""
        found: list[bytes] = []
        while self.value[self.at : self.at + 1] not in (b"", b";"):
            found.append(self._take(_OUTSIDE))
            end = self.comments.get(self.at)
            if end is None and self.value[self.at : self.at + 1] == b"(":
                found.append(b"(")
                end = self.at + 1
            self.at = end or self.at
        return b"".join(found)

    def _skip(self) -> None:
        """Skips white space and comments."""
        self._take(_SPACE)
        while (end := self.comments.get(self.at)) is not None:
            self.at = end
            self._take(_SPACE)

    def _take(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self.value, self.at)
        self.at = found.end() if found else self.at
        return found[0] if found else b""


def _comments(value: bytes) -> dict[int, int]:
    """Returns the end of each comment by its start; an unclosed one is not a comment."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for found in _IN_COMMENT.finditer(value):
        if found[0] == b"(":
            opened.append(found.start())
        elif found[0] == b")" and opened:
            ends[opened.pop()] = found.end()
    return ends


def _joined(pieces: list[tuple[int, bool, bytes]]) -> tuple[bytes, str]:
    """Returns a value and its charset: from numbered pieces, an extended or a plain one."""
    numbered = sorted({piece[0]: piece for piece in pieces if piece[0] >= 0}.values())
    chosen = numbered or sorted(pieces, key=_rank)[:1]
    first = _EXTENDED.fullmatch(chosen[0][2]) if chosen[0][1] else None
    values = [first[2] if first else chosen[0][2], *(piece[2] for piece in chosen[1:])]
    octets = b"".join(
        unquote_to_bytes(value) if extended else value
        for value, (_, extended, _) in zip(values, chosen, strict=True)
    )
    return octets, first[1].decode("latin-1") if first else ""


def _rank(piece: tuple[int, bool, bytes]) -> int:
    """Ranks an extended value first (RFC 2231 §4), but an empty one last."""
    _, is_extended, value = piece
    if not is_extended:
        return 1
    found = _EXTENDED.fullmatch(value)
    return 0 if (found[2] if found else value) else 2


def _text(name: str, octets: bytes, charset_name: str) -> str:
    if name == "boundary":
        return octets.decode("latin-1")
    if name in ("filename", "name") and not charset_name:
        return decode_words(octets)
    return charset.on_one_line(charset.decode(octets, charset_name))
