"""Decodes the Japanese charsets that mail is written in, with their vendors' characters.

Python 3.14 has no codec for what Windows and telephones write as ISO-2022-JP (CP50221)
and EUC-JP (CP51932): rows 13 and 89 to 92 of JIS X 0208, such as a circled digit, and
half-width katakana. Both are other forms of Shift JIS, which its codec cp932 reads whole.
"""

from __future__ import annotations

import re
from functools import cache

_ASCII, _ROMAN, _KANA, _JIS_X_0208, _JIS_X_0212 = range(5)
# RFC 1468 §2, RFC 2237 §2 and CP50221; "ESC ( H" is written for "ESC ( J" by mistake.
_SETS = {
    b"\x1b(B": _ASCII,
    b"\x1b(J": _ROMAN,
    b"\x1b(H": _ROMAN,
    b"\x1b(I": _KANA,
    b"\x1b$@": _JIS_X_0208,
    b"\x1b$B": _JIS_X_0208,
    b"\x1b$(@": _JIS_X_0208,
    b"\x1b$(B": _JIS_X_0208,
    b"\x1b$(D": _JIS_X_0212,
    b"\x0e": _KANA,
    b"\x0f": _ASCII,
    # RFC 1468 §2: a line begins in ASCII, also below one that was cut.
    b"\r": _ASCII,
    b"\n": _ASCII,
}
_SWITCH = re.compile(rb"\x1b(?:\([BJHI]|\$\(?[@B]|\$\(D)|[\x0e\x0f\r\n]")
# Sets of ISO-2022-JP-2 and -2004, which codecs of Python know.
_OTHER_SETS = {
    "iso2022_jp_2": re.compile(rb"\x1b(?:\$A|\$\(C|\.[AF])"),
    "iso2022_jp_2004": re.compile(rb"\x1b\$\([OPQ]"),
}
_PAIR = re.compile(rb"[\x21-\x7e]{2}|.", re.DOTALL)
_EUC_PIECE = re.compile(
    rb"[\x00-\x7f]+|(?:[\xa1-\xfe]{2})+|(?:\x8e[\xa1-\xdf])+|(?:\x8f[\xa1-\xfe]{2})+|.",
    re.DOTALL,
)
_SEVEN_BIT = bytes(code & 0x7F for code in range(256))
_EIGHT_BIT = bytes(code | 0x80 for code in range(256))
_HALF_WIDTH = {code: code - 0xA1 + 0xFF61 for code in range(0xA1, 0xE0)}
_UNKNOWN = dict.fromkeys([*range(0x80, 0xA1), *range(0xE0, 0x100)], "\ufffd")
_SINGLE: dict[int, dict[int, int | str]] = {
    _ASCII: {**_HALF_WIDTH, **_UNKNOWN},
    _ROMAN: {**_HALF_WIDTH, **_UNKNOWN, 0x5C: "\xa5", 0x7E: "\u203e"},
    _KANA: {
        **{code & 0x7F: kana for code, kana in _HALF_WIDTH.items()},
        **_HALF_WIDTH,
        **_UNKNOWN,
    },
}


def decode_iso_2022_jp(data: bytes) -> str:
    """Returns text in ISO-2022-JP, with U+FFFD for octets that mean nothing."""
    for codec, escapes in _OTHER_SETS.items():
        if escapes.search(data):
            return data.decode(codec, "replace")
    pieces: list[str] = []
    charset, start = _ASCII, 0
    for switch in _SWITCH.finditer(data):
        pieces.append(_in_set(charset, data[start : switch.start()]))
        charset, start = _SETS[switch[0]], switch.end()
        if switch[0] in b"\r\n":
            pieces.append(switch[0].decode("ascii"))
    pieces.append(_in_set(charset, data[start:]))
    return "".join(pieces)


def decode_euc_jp(data: bytes) -> str:
    """Returns text in EUC-JP, with U+FFFD for octets that mean nothing."""
    return "".join(_euc_piece(found[0]) for found in _EUC_PIECE.finditer(data))


def _in_set(charset: int, octets: bytes) -> str:
    if not octets:
        return ""
    if charset == _JIS_X_0208:
        table = _jis_x_0208()
        return "".join(
            table.get(pair, "\ufffd")
            if len(pair) == 2 or pair > b" "
            else pair.decode()
            for pair in _PAIR.findall(octets)
        )
    if charset == _JIS_X_0212:
        return "".join(
            _jis_x_0212(pair) if len(pair) == 2 else "\ufffd"
            for pair in _PAIR.findall(octets)
        )
    text = octets.decode("latin-1")
    if charset == _ASCII and text.isascii():
        return text
    return text.translate(_SINGLE[charset])


def _euc_piece(piece: bytes) -> str:
    if piece[0] < 0x80:
        return piece.decode("ascii")
    if len(piece) == 1:
        return "\ufffd"
    if piece[0] == 0x8E:
        return piece.replace(b"\x8e", b"").decode("latin-1").translate(_HALF_WIDTH)
    if piece[0] == 0x8F:
        return piece.decode("euc_jp", "replace")
    return _in_set(_JIS_X_0208, piece.translate(_SEVEN_BIT))


def _jis_x_0212(pair: bytes) -> str:
    return (b"\x8f" + pair.translate(_EIGHT_BIT)).decode("euc_jp", "replace")


@cache
def _jis_x_0208() -> dict[bytes, str]:
    """Returns each character of the 94 rows by its two octets."""
    table = {}
    for row in range(94):
        for cell in range(94):
            lead = (0x81 if row < 62 else 0xC1) + row // 2
            trail = cell + 0x9F if row % 2 else cell + 0x40 + (cell >= 63)
            try:
                character = bytes((lead, trail)).decode("cp932")
            except UnicodeDecodeError:
                continue
            table[bytes((row + 0x21, cell + 0x21))] = character
    return table
