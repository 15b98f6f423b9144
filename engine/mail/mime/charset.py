"""Decodes text in the charset that it is really in; never fails, always in linear time.

Mail is often in another charset than it says. What it says counts as long as the octets
can be read that way; where they cannot, they are read as what programs confuse it with.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

from engine.mail.mime import charset_evidence, japanese
from engine.mail.mime.charset_names import CODECS, codec_of

_WIDE = frozenset(
    ("utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le")
)
# In these, ASCII octets may mean something else.
_NOT_ASCII = {"cp864", "hz", "johab", "shift_jis_2004", "shift_jisx0213", "utf_7"}
_NOT_ASCII |= _WIDE | {name for name in CODECS if name.startswith("iso2022")}
# Charsets of several octets for a character, with what is taken for them by mistake.
# Damaged text in one of them cannot be read as these by accident.
_MULTI_BYTE = {
    **{
        codec: ("utf_8",)
        for codec in CODECS
        if codec.startswith(("big5", "euc", "iso2022", "shift_jis"))
    },
    **dict.fromkeys(("cp949", "cp950", "gb18030", "hz", "johab"), ("utf_8",)),
    "cp932": ("utf_8", "euc_jp"),
    "iso2022_jp": ("utf_8", "cp932"),
}
# Windows has quotes, dashes and the euro sign where ISO 8859 and Unicode have controls
# that no mail uses (WHATWG Encoding §9). Five places are empty.
_WINDOWS_SIGNS = {
    code: bytes((code,)).decode("cp1252", "replace") for code in range(0x80, 0xA0)
}
_CONTROL = re.compile("[\x80-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_PIECEWISE = "postern.utf-8-or-windows-1252"

# Controls, and marks that change the direction of the text around them.
_HARMFUL = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]),
    **dict.fromkeys(map(ord, "\t\r\n"), " "),
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and how sure it is that it was written like this.

    `is_guessed` if it is not in the charset that the message says. `is_damaged` if some
    octets are no characters: the text has U+FFFD in their place.
    """

    text: str
    is_guessed: bool = False
    is_damaged: bool = False


def decode(data: bytes, charset: str = "utf-8", *, is_html: bool = False) -> str:
    """Returns the text of `read`."""
    return read(data, charset, is_html=is_html).text


def read(data: bytes, charset: str = "utf-8", *, is_html: bool = False) -> Decoded:
    """Decodes octets that are said to be in a charset; never raises.

    An unknown charset is guessed. Of HTML, what the page says itself counts where the
    message says nothing, or what cannot be. The text has no surrogates. UTF-7 is decoded
    here, before anything is checked or sanitised, and is never sent on as UTF-7: it
    cannot hide markup from what reads it later.
    """
    codec = codec_of(charset)
    if data.isascii() and codec not in _NOT_ASCII:
        if charset_evidence.is_iso_2022_jp(data):
            return _decoded(data, "iso2022_jp", is_guessed=True)
        return Decoded(data.decode("ascii"))
    if mark := charset_evidence.mark_of(data):
        return _decoded(data, mark, is_guessed=mark != codec)
    declared = charset_evidence.told_in_html(data) if is_html else ""
    if codec in ("", "ascii"):
        return _decoded(
            data, declared or "utf_8", is_guessed=codec != "ascii" or bool(declared)
        )
    if declared in ("", codec):
        return _decoded(data, codec)
    is_wrong = codec == "cp1252" and "1252" not in charset
    if is_wrong and charset_evidence.is_no_latin_1(data):
        return _decoded(data, declared, is_guessed=True)
    decoded = _decoded(data, codec)
    if decoded.is_guessed or decoded.is_damaged:
        as_declared = _decoded(data, declared, is_guessed=True)
        return decoded if as_declared.is_damaged else as_declared
    return decoded


def on_one_line(text: str) -> str:
    """Returns the text for one line of a screen: no controls, no direction marks."""
    return text if text.isprintable() else text.translate(_HARMFUL)


def _decoded(data: bytes, codec: str, *, is_guessed: bool = False) -> Decoded:
    if codec == "utf_8":
        return _as_utf_8(data, is_guessed=is_guessed)
    if codec in _WIDE:
        return _as_wide(data, codec, is_guessed=is_guessed)
    if codec == "utf_7":
        if not data.isascii():
            return _as_utf_8(data, is_guessed=True)
        text = _SURROGATE.sub(_REPLACEMENT, data.decode("utf_7", "replace"))
        return Decoded(text, is_guessed, _REPLACEMENT in text)
    if codec in _MULTI_BYTE:
        return _as_multi_byte(data, codec, is_guessed=is_guessed)
    if charset_evidence.is_surely_utf_8(data):
        return _as_utf_8(data, is_guessed=True)
    if codec == "cp1252" and charset_evidence.is_turkish(data):
        codec, is_guessed = "cp1254", True
    text = _with_windows_signs(data.decode(codec, "replace"))
    return Decoded(text, is_guessed, _REPLACEMENT in text)


def _as_utf_8(data: bytes, *, is_guessed: bool) -> Decoded:
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return Decoded(_with_windows_signs(data.decode("utf-8")), is_guessed)
    except UnicodeDecodeError:
        pass
    if not charset_evidence.is_mostly_utf_8(data):
        return replace(_decoded(data, "cp1252"), is_guessed=True)
    # Such as a footer that a program added to a text without looking at its charset.
    text = _with_windows_signs(data.decode("utf-8", _PIECEWISE))
    return Decoded(text, True, _REPLACEMENT in text)


def _as_wide(data: bytes, codec: str, *, is_guessed: bool) -> Decoded:
    if not charset_evidence.mark_of(data):
        codec = charset_evidence.wide_codec(data, codec)
    if not codec:
        return _as_utf_8(data, is_guessed=True)
    text = data.decode(codec, "replace").removeprefix("\ufeff")
    return Decoded(text, is_guessed, _REPLACEMENT in text)


def _as_multi_byte(data: bytes, codec: str, *, is_guessed: bool) -> Decoded:
    text = _in(data, codec)
    if _REPLACEMENT not in text:
        return Decoded(text, is_guessed)
    # All of ASCII is UTF-8, escapes included.
    if data.isascii() or charset_evidence.is_iso_2022_jp(data):
        return Decoded(text, is_guessed, is_damaged=True)
    for other in _MULTI_BYTE[codec]:
        as_other = _in(data, other)
        if _REPLACEMENT not in as_other:
            return Decoded(as_other, True)
    return Decoded(text, is_guessed, is_damaged=True)


def _in(data: bytes, codec: str) -> str:
    if codec == "iso2022_jp":
        return japanese.decode_iso_2022_jp(data)
    text = data.decode(codec, "replace")
    if codec == "euc_jp" and _REPLACEMENT in text:
        return japanese.decode_euc_jp(data)
    if codec == "cp950" and _REPLACEMENT in text:
        # Hong Kong adds characters where Windows has none.
        others = data.decode("big5hkscs", "replace")
        text = min(text, others, key=lambda one: one.count(_REPLACEMENT))
    return _SURROGATE.sub(_REPLACEMENT, text)


def _with_windows_signs(text: str) -> str:
    return text.translate(_WINDOWS_SIGNS) if _CONTROL.search(text) else text


def _piece(error: UnicodeError) -> tuple[str, int]:
    """Reads octets that are not UTF-8 as Windows-1252, but a character that was cut."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    octets = error.object[error.start : error.end]
    is_cut = len(octets) > 1 or (error.end == len(error.object) and octets >= b"\xc2")
    text = _REPLACEMENT if is_cut else octets.decode("cp1252", "replace")
    return text, error.end


codecs.register_error(_PIECEWISE, _piece)
