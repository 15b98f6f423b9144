"""The names of charsets that mail programs write, and the codec that each one means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from encodings.aliases import aliases
from functools import lru_cache

# Excluded on purpose: codecs that are not charsets (rot13, zlib, unicode_escape), and
# those that are slow on hostile input (idna, punycode).
CODECS = frozenset(
    [
        *("ascii", "utf_7", "utf_8", "utf_8_sig", "utf_16", "utf_16_be", "utf_16_le"),
        *("utf_32", "utf_32_be", "utf_32_le"),
        *("latin_1", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6"),
        *("iso8859_7", "iso8859_8", "iso8859_9", "iso8859_10", "iso8859_11"),
        *("iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16"),
        *("cp437", "cp720", "cp737", "cp775", "cp850", "cp852", "cp855", "cp857"),
        *("cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865", "cp866"),
        *("cp869", "cp874", "cp1006", "cp1125"),
        *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256"),
        *("cp1257", "cp1258"),
        *("koi8_r", "koi8_t", "koi8_u", "kz1048", "ptcp154", "tis_620", "hp_roman8"),
        *("mac_cyrillic", "mac_greek", "mac_iceland", "mac_latin2", "mac_roman"),
        *("mac_turkish",),
        *("big5", "big5hkscs", "cp950", "gb18030", "gb2312", "gbk", "hz"),
        *("cp932", "euc_jp", "euc_jis_2004", "euc_jisx0213", "iso2022_jp"),
        *("iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3"),
        *("iso2022_jp_ext", "shift_jis", "shift_jis_2004", "shift_jisx0213"),
        *("cp949", "euc_kr", "iso2022_kr", "johab"),
    ]
)
# Programs mean more by these names than their standards define: the Windows code page
# that extends an ISO one, GB 18030 by its predecessors (WHATWG Encoding §4.2).
_EXTENDED = {
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "utf_8_sig": "utf_8",
    "iso2022_jp_1": "iso2022_jp",
    "iso2022_jp_ext": "iso2022_jp",
}
_OTHERS = {
    "8859 1": "cp1252",
    "ansi": "cp1252",
    "cp 50220": "iso2022_jp",
    "cp 50221": "iso2022_jp",
    "cp 50222": "iso2022_jp",
    "cp 51932": "euc_jp",
    "cp 51936": "gb18030",
    "cp 51949": "cp949",
    "cp 54936": "gb18030",
    "cp 874": "cp874",
    "cp 936": "gb18030",
    "cp 10000": "mac_roman",
    "cp 20127": "ascii",
    "cp 20866": "koi8_r",
    "cp 21866": "koi8_u",
    "cp 28591": "cp1252",
    "cp 28592": "iso8859_2",
    "cp 28605": "iso8859_15",
    "cp 65000": "utf_7",
    "cp 65001": "utf_8",
    "dos 850": "cp850",
    "dos 874": "cp874",
    "iso 2022 jp ms": "iso2022_jp",
    "iso 8859 6 e": "iso8859_6",
    "iso 8859 6 i": "iso8859_6",
    "iso 8859 8 e": "iso8859_8",
    "iso 8859 8 i": "iso8859_8",
    "iso ir 111": "koi8_r",
    "jis": "iso2022_jp",
    "jis7": "iso2022_jp",
    "koi": "koi8_r",
    "koi8": "koi8_r",
    "koi8 ru": "koi8_u",
    "ks c 5601": "cp949",
    "ks x 1001": "cp949",
    "logical": "iso8859_8",
    "mac": "mac_roman",
    "mac ce": "mac_latin2",
    "mac central europe": "mac_latin2",
    "mac central eurroman": "mac_latin2",
    "mac ukrainian": "mac_cyrillic",
    "shift jis ms": "cp932",
    "sun eu greek": "iso8859_7",
    "unicode": "utf_16",
    "unicode 1 1": "utf_16",
    "unicode 1 1 utf 7": "utf_7",
    "unicode 1 1 utf 8": "utf_8",
    "unicode 2 0 utf 7": "utf_7",
    "unicode 2 0 utf 8": "utf_8",
    "utf 8 mb4": "utf_8",
    "utf 8 n": "utf_8",
    "visual": "iso8859_8",
    "wansung": "cp949",
    "windows 31j": "cp932",
}
# What stands behind a dollar sign is how programs of Microsoft open the charset:
# "_iso-2022-jp$ESC", "iso-2022-jp$SIO".
_TAIL = re.compile(r"[$;,(].*", re.DOTALL)
_SIGNS = re.compile(r"[^0-9a-z]+")
_PREFIX = re.compile(r"\A(?:charset|x|cs)(?=[a-z0-9])")
_WINDOWS = re.compile(r"\A(?:windows|win|ms|microsoft|ibm|oem|cp|codepage|dos)0*(?=\d)")
_MAX_NAME = 40


@lru_cache(maxsize=1024)
def codec_of(name: str) -> str:
    """Returns the Python codec for a charset's name; empty for one that is unknown."""
    return next((_KNOWN[key] for key in _keys(name) if key in _KNOWN), "")


def _keys(name: str) -> Iterator[str]:
    key = _SIGNS.sub("", _TAIL.sub("", name[:_MAX_NAME].strip(" \"'").lower()))
    for one in (key, _PREFIX.sub("", key)):
        yield one
        yield _WINDOWS.sub("cp", one)


def _known() -> dict[str, str]:
    named = {alias: codec for alias, codec in aliases.items() if codec in CODECS}
    named |= {codec: codec for codec in CODECS}
    meant = {name: _EXTENDED.get(codec, codec) for name, codec in named.items()}
    return {_SIGNS.sub("", name): codec for name, codec in (meant | _OTHERS).items()}


_KNOWN = _known()
