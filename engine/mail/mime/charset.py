"""Decodes text in the charsets that mail names; never fails, always in linear time."""

from __future__ import annotations

import re
from encodings.aliases import aliases

# Excluded on purpose: codecs that are not charsets (rot13, zlib, unicode_escape), that
# are slow on hostile input (idna, punycode), or that hide markup from filters (utf-7).
_CODECS = frozenset(
    [
        "ascii",
        "big5",
        "big5hkscs",
        "cp437",
        "cp850",
        "cp852",
        "cp858",
        "cp866",
        "cp874",
        "cp932",
        "cp949",
        "cp950",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "euc_jp",
        "euc_jis_2004",
        "euc_kr",
        "gb18030",
        "gb2312",
        "gbk",
        "hz",
        "iso2022_jp",
        "iso2022_jp_1",
        "iso2022_jp_2",
        "iso2022_kr",
        "iso8859_2",
        "iso8859_3",
        "iso8859_4",
        "iso8859_5",
        "iso8859_6",
        "iso8859_7",
        "iso8859_8",
        "iso8859_9",
        "iso8859_10",
        "iso8859_11",
        "iso8859_13",
        "iso8859_14",
        "iso8859_15",
        "iso8859_16",
        "johab",
        "koi8_r",
        "koi8_t",
        "koi8_u",
        "latin_1",
        "mac_roman",
        "ptcp154",
        "shift_jis",
        "shift_jis_2004",
        "tis_620",
        "utf_8",
        "utf_8_sig",
        "utf_16",
        "utf_16_be",
        "utf_16_le",
        "utf_32",
        "utf_32_be",
        "utf_32_le",
    ]
)
_NAMES = {
    **{alias: codec for alias, codec in aliases.items() if codec in _CODECS},
    **{codec: codec for codec in _CODECS},
    # Mail programs mean more by these names than their standards define: Windows-1252 by
    # Latin-1, UTF-8 by ASCII, GB 18030 by its predecessors.
    **dict.fromkeys(("iso_8859_1", "iso8859_1", "latin1", "latin_1"), "cp1252"),
    **dict.fromkeys(("us_ascii", "ascii", "unknown_8bit", "8bit"), "utf_8"),
    **dict.fromkeys(("gb2312", "gbk", "gb_2312", "cp936"), "gb18030"),
    "iso_8859_8_i": "iso8859_8",
    "ks_c_5601_1987": "cp949",
}
_PUNCTUATION = re.compile(r"[^0-9a-z]+")
_MAX_NAME = 40

# Controls, and marks that change the direction of the text around them.
_HARMFUL = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]),
    **dict.fromkeys(map(ord, "\t\r\n"), " "),
}


def decode(data: bytes, charset: str = "utf-8") -> str:
    """Returns the text, with U+FFFD for malformed octets; never raises.

    An unknown or excluded charset is read as UTF-8 and, where that fails, as
    Windows-1252: text without a charset is most often one of the two.
    """
    name = _PUNCTUATION.sub("_", charset[:_MAX_NAME].lower()).strip("_")
    codec = _NAMES.get(name, "utf_8")
    if codec == "utf_8":
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            known = name in _NAMES
            return data.decode("utf-8" if known else "cp1252", "replace")
    return data.decode(codec, "replace")


def on_one_line(text: str) -> str:
    """Returns the text for one line of a screen: no controls, no direction marks."""
    return text if text.isprintable() else text.translate(_HARMFUL)
