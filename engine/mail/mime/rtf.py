"""Opens compressed Rich Text and extracts its text (MS-OXRTFCP; RTF 1.9.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from engine.mail.mime import charset, codepages

# Octets of one message that are decompressed and read: a hundred pages, and a few seconds
# at most.
MAX_OCTETS = 4 * 1024 * 1024

# The start of every dictionary, as MS-OXRTFCP §2.1.2.1 gives it.
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern "
    rb"\fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0"
    b"\\green0\\blue0\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4096
_HEADER = 16
_COMPRESSED, _PLAIN = b"LZFu", b"MELA"

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})?+ ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])"
    rb"|([^\\{}\r\n]++)|[\r\n]++",
    re.DOTALL,
)
_HIDDEN = frozenset(
    b"colortbl stylesheet info pict objdata fldinst header headerl headerr headerf "
    b"footer footerl footerr footerf filetbl".split()
)
_WORDS = {
    b"par": "\n",
    b"line": "\n",
    b"sect": "\n\n",
    b"page": "\n\n",
    b"row": "\n",
    b"cell": "\t",
    b"nestcell": "\t",
    b"tab": "\t",
    b"emdash": "\u2014",
    b"endash": "\u2013",
    b"bullet": "\u2022",
    b"lquote": "\u2018",
    b"rquote": "\u2019",
    b"ldblquote": "\u201c",
    b"rdblquote": "\u201d",
}
_SIGNS = {b"~": "\xa0", b"_": "\u2011", b"\n": "\n", b"\r": "\n"}
# Charsets of fonts by number (RTF 1.9.1, font table) that differ from the document's.
_FONT_CHARSETS = {
    128: "cp932",
    129: "cp949",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}


@dataclass(slots=True)
class Budget:
    """The octets of Rich Text that may still be decompressed and read."""

    left: int = MAX_OCTETS


def decompress(data: bytes, most: int) -> tuple[bytes, bool]:
    """Returns at most so many octets of compressed Rich Text, and whether it is all of it.

    Raises ValueError for a malformed one.
    """
    kind, size = data[8:12], int.from_bytes(data[4:8], "little")
    if len(data) < _HEADER or kind not in (_PLAIN, _COMPRESSED):
        raise ValueError("No compressed Rich Text")
    most = min(size, most)
    if kind == _PLAIN:
        octets = data[_HEADER : _HEADER + most]
    else:
        expanded = _expanded(data, most + len(_DICTIONARY))
        octets = bytes(expanded[len(_DICTIONARY) :][:most])
    return octets, len(octets) == size


def _expanded(data: bytes, most: int) -> bytearray:
    """Returns the dictionary with `most` octets or a few more, if there are as many."""
    out = bytearray(_DICTIONARY)
    at = _HEADER
    while at < len(data) and len(out) < most:
        flags = data[at]
        at += 1
        for bit in range(8):
            if not flags >> bit & 1:
                out += data[at : at + 1]
                at += 1
                continue
            reference = data[at : at + 2]
            at += 2
            if len(reference) < 2 or not _repeat(out, reference):
                return out
    return out


def _repeat(out: bytearray, reference: bytes) -> bool:
    """Appends octets written before; returns False for the mark of the end."""
    number = int.from_bytes(reference, "big")
    back = (len(out) - (number >> 4)) % _WINDOW
    if not back:
        return False
    start, length = len(out) - back, (number & 15) + 2
    if start < 0:
        raise ValueError("Compressed Rich Text refers to nothing")
    unit = out[start : start + length]
    out += (unit * length)[:length]
    return True


def to_text(rtf: bytes) -> str:
    """Returns the visible text of Rich Text, in linear time. Never raises."""
    return _Reader().read(rtf[:MAX_OCTETS])


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds within one pair of braces."""

    is_hidden: bool = False
    is_font_table: bool = False
    replacement: int = 1  # letters behind each \u for programs that don't know it
    font: int = -1


class _Reader:
    def __init__(self) -> None:
        self._group = _Group()
        self._outer: list[_Group] = []
        self._charset = "cp1252"
        self._fonts: dict[int, str] = {}
        self._default_font = -1
        self._out: list[str] = []
        self._octets: list[bytes] = []
        self._skip = 0

    def read(self, rtf: bytes) -> str:
        at = 0
        while token := _TOKEN.match(rtf, at):
            at = token.end()
            word, number, octet, sign, brace, text = token.groups()
            if text is not None:
                self._text(text)
            elif octet is not None:
                self._text(bytes.fromhex(octet.decode()))
            elif brace is not None:
                self._brace(brace)
            elif word == b"bin":
                at += max(0, int(number or 0))
            elif word is not None:
                self._word(word, int(number) if number else None)
            elif sign is not None:
                self._sign(sign)
        self._flush()
        # Surrogates were written one by one.
        return (
            "".join(self._out)
            .encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
        )

    def _text(self, octets: bytes) -> None:
        shown = octets[self._skip :]
        self._skip = max(0, self._skip - len(octets))
        if not self._group.is_hidden and not self._group.is_font_table:
            self._octets.append(shown)

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._skip = 0
        if brace == b"{":
            self._outer.append(self._group)
        elif self._outer:
            self._group = self._outer.pop()

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._change(replace(self._group, is_hidden=True))
        elif sign in b"\\{}":
            self._text(sign)
        elif sign in _SIGNS:
            self._put(_SIGNS[sign])

    def _word(self, word: bytes, number: int | None) -> None:
        self._skip = 0
        if word in _WORDS:
            self._put(_WORDS[word])
        elif word in _HIDDEN:
            self._change(replace(self._group, is_hidden=True))
        elif word == b"fonttbl":
            self._change(replace(self._group, is_font_table=True))
        elif number is None:
            return
        elif word == b"u":
            self._put(chr(number % 0x10000))
            self._skip = self._group.replacement
        elif word == b"uc":
            self._change(replace(self._group, replacement=min(max(number, 0), 16)))
        elif word == b"f":
            self._change(replace(self._group, font=number))
        elif word == b"deff":
            self._default_font = number
        elif word == b"ansicpg":
            self._charset = codepages.charset_of(number)
        elif word == b"fcharset" and self._group.is_font_table:
            self._fonts[self._group.font] = _FONT_CHARSETS.get(number, "")

    def _change(self, group: _Group) -> None:
        self._flush()
        self._group = group

    def _put(self, text: str) -> None:
        self._flush()
        if not self._group.is_hidden and not self._group.is_font_table:
            self._out.append(text)

    def _flush(self) -> None:
        if self._octets:
            font = self._group.font if self._group.font >= 0 else self._default_font
            name = self._fonts.get(font) or self._charset
            self._out.append(charset.decode(b"".join(self._octets), name))
            self._octets.clear()
