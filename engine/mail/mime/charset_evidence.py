"""Finds in octets themselves which charset they are in, for text that says it wrongly."""

from __future__ import annotations

import codecs
import re

from engine.mail.mime.charset_names import codec_of

# Octets of HTML in which it is looked for what the page says of its charset; browsers
# look in 1,024, but some programs write a style sheet in front.
TOLD_WITHIN = 16 * 1024

_TOLD_IN_HTML = re.compile(
    rb"<(?:meta\b[^<>]{0,500}?\bcharset|\?xml\b[^<>]{0,200}?\bencoding)"
    rb"\s{0,20}=\s{0,20}[\"']?\s{0,20}([0-9A-Za-z_.:$-]{1,40})",
    re.IGNORECASE,
)
_MARKS = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF32_BE, "utf_32"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
)
# UTF-8 that nobody means as letters and signs of a single-octet charset: "Ã¤" and "â€“",
# but not the last letter and the quotation mark of "CAFÉ»".
_SURELY_UTF_8 = re.compile(
    rb"[\xc2\xc3\xce\xcf\xd0\xd1\xd7-\xdb][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}"
    rb"|[\xf0-\xf4][\x80-\xbf]{3}|[\xc4\xc5][\x80-\x84\x86-\x90\x98\x9a-\x9f\xa1-\xaa"
    rb"\xac-\xba\xbc-\xbf]"
)
_ISO_2022_JP = re.compile(rb"\x1b\$(?:[@B]|\([@BD])")
_CONTROLS = re.compile(rb"[\x80-\x9f]")
_ASCII = bytes(range(128))

# Letters of Turkish in Windows-1254: where Latin-1 has letters of Icelandic, and others.
_TURKISH = b"\xd0\xdd\xde\xf0\xfd\xfe"
_DOTLESS_I = b"\xfd"
_ALSO_TURKISH = b"\xc2\xc7\xce\xd6\xdb\xdc\xe2\xe7\xee\xf6\xfb\xfc"
_LETTERS = bytes(code for code in range(0xC0, 0x100) if code not in (0xD7, 0xF7))
_OTHER_LETTERS = bytes(c for c in _LETTERS if c not in _TURKISH + _ALSO_TURKISH)
_MIN_TURKISH = 5


def mark_of(data: bytes) -> str:
    """Returns the codec that a byte order mark tells; empty without one.

    In text of single octets, the marks of UTF-16 and UTF-32 are two letters.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark) and (codec == "utf_8" or b"\0" in data[:64]):
            return codec
    return ""


def told_in_html(data: bytes) -> str:
    """Returns the codec that an HTML page says that it is in; empty if it says none.

    What can be read as ASCII is not in UTF-16, and UTF-7 is left out as browsers do (HTML
    Standard §13.2.3.2).
    """
    found = _TOLD_IN_HTML.search(data[:TOLD_WITHIN])
    codec = codec_of(found[1].decode("ascii")) if found else ""
    return (
        "utf_8"
        if codec.startswith(("utf_16", "utf_32"))
        else codec.replace("utf_7", "")
    )


def is_surely_utf_8(data: bytes) -> bool:
    """Whether octets are UTF-8 that nobody means as single letters."""
    if not _SURELY_UTF_8.search(data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_mostly_utf_8(data: bytes) -> bool:
    """Whether octets that are not UTF-8 hold at least as many characters of it as faults."""
    if not _SURELY_UTF_8.search(data):
        return False
    readable = data.decode("utf-8", "ignore")
    characters = len(readable) - len(data) + len(data.translate(None, _ASCII))
    return characters >= len(data) - len(readable.encode())


def is_iso_2022_jp(data: bytes) -> bool:
    """Whether ASCII octets switch to Japanese."""
    return bool(_ISO_2022_JP.search(data))


def is_no_latin_1(data: bytes) -> bool:
    """Whether octets are controls in Latin-1, and quotes or dashes of Windows."""
    return bool(_CONTROLS.search(data))


def is_turkish(data: bytes) -> bool:
    """Whether octets of Windows-1254 are said to be Latin-1.

    The two differ in six letters. Without dotless i among them, or with a letter that
    Turkish has not, it is Icelandic or Faroese.
    """
    letters = data.translate(None, bytes(set(range(256)).difference(_LETTERS)))
    turkish = len(letters) - len(letters.translate(None, _TURKISH))
    return (
        turkish >= _MIN_TURKISH
        and 3 * letters.count(_DOTLESS_I) >= turkish
        and len(letters.translate(None, _OTHER_LETTERS)) == len(letters)
    )


def wide_codec(data: bytes, codec: str) -> str:
    """Returns the codec of text that is said to be UTF-16 without a byte order mark.

    Any Latin letter and every line end has a NUL in it, at one of the two places.
    """
    if b"\0" not in data:
        return "" if is_surely_utf_8(data) or data.isascii() else codec
    if codec == "utf_16":
        return "utf_16_be" if data[::2].count(0) > data[1::2].count(0) else "utf_16_le"
    return codec
