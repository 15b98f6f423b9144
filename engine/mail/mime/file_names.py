"""File names in messages: the one that we show, and every name a program may read.

Mail programs read a name from different parameters, and systems drop different
characters of it. A decision about a file, such as whether its ending is allowed, has to
consider every reading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from engine.mail.mime import charset
from engine.mail.mime.encoded_words import decode_words

MAX_NAME = 120  # characters of a name that we show
MAX_ENDING = 30  # characters of an ending that a name keeps when it is cut

# Parameters of one field that look like a name. No program writes more.
MAX_NAMED = 100
MAX_FIELD_OCTETS = 64 * 1024
_MAX_VALUE_OCTETS = 2048

# Characters that a file system or a shell may take for more than a name.
_UNSAFE = re.compile(r'[\\/:*?"<>|%]+')
_AT_THE_END = "._'`\"?*<>|&,;()[]{}~ "
_FOLDERS = re.compile(r"[/\\]")
_SPACES = re.compile(r"\s+")
_DOTS = str.maketrans(dict.fromkeys("\u2024\u3002\uff0e\uff61\ufe52\ua4f8", "."))
_BLANKS = str.maketrans(dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " "))
# Unicode's Default_Ignorable_Code_Point outside category C: drawn as nothing.
_IGNORABLE = frozenset(
    (0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10))
).union(range(0xE0100, 0xE01F0))
_NAMED = re.compile(rb"(?:file)?name[ \t\r\n]*(\*\d{0,4})?+(\*?+)[ \t\r\n]*=", re.I)
_QUOTED = re.compile(rb'\s*"((?:[^"\\]++|\\.)*+)', re.DOTALL)
_EXTENDED = re.compile(rb"\s*([^'\s]{0,40})'[^']{0,40}'(.*)", re.DOTALL)
_COMMENT = re.compile(rb"\((?:[^()\\]++|\\.)*+\)", re.DOTALL)
_CUTS = re.compile(r"[\0\r\n:]")


class TooManyNamesError(ValueError):
    """A field holds more names than are examined."""


def canonical(name: str) -> str:
    """Returns the name under which we show and serve a file; empty where nothing is left.

    One line without folders, controls, invisible or direction-changing characters,
    without dots and spaces at its ends, cut to MAX_NAME characters with its ending kept.
    """
    last = _FOLDERS.split(name.rstrip("/\\"))[-1]
    return _cut(_cleaned(last))


def from_title(title: str) -> str:
    """Returns a file name made from a subject, in which a slash is not a folder."""
    return _cut(_cleaned(title))


def _cleaned(text: str) -> str:
    seen = visible(text).translate(_BLANKS)
    cleaned = _SPACES.sub(" ", _UNSAFE.sub("_", seen)).strip(" .")
    return cleaned if cleaned.strip("_ .") else ""


def visible(text: str) -> str:
    """Returns the text without invisible characters: controls, format, ignorable ones."""
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(c if c not in "\t\r\n" else " " for c in composed if _is_drawn(c))


def _is_drawn(character: str) -> bool:
    if character in "\t\r\n":
        return True
    category = unicodedata.category(character)
    return category[0] != "C" and ord(character) not in _IGNORABLE


def _cut(name: str) -> str:
    """Returns at most MAX_NAME characters of a name, with its ending."""
    if len(name) <= MAX_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > MAX_ENDING:
        return name[:MAX_NAME].rstrip(" .")
    return stem[: MAX_NAME - len(ending) - 1] + dot + ending


def endings(names: Iterable[str]) -> set[str]:
    """Returns every ending, casefolded and without its dot, that a program may read.

    Of a name so long that programs cut it, each part between dots may become the ending.
    """
    return {ending for name in names for ending in _endings_of(name)}


@lru_cache(maxsize=1024)
def _endings_of(name: str) -> frozenset[str]:
    found: set[str] = set()
    for reading in set(_readings(name)):
        parts = _folded(reading).split(".")[1:]
        found.update(parts if len(name) > MAX_NAME else parts[-1:])
    return frozenset(filter(None, found))


def _readings(name: str) -> Iterator[str]:
    """Yields the name as different systems read it."""
    last = _FOLDERS.split(name.rstrip("/\\"))[-1]
    for text in {name, last, charset.decode(unquote_to_bytes(last.encode()))}:
        yield text
        yield canonical(text)
        yield _UNSAFE.sub("", text)
        # Some systems end the name at a NUL or line end; on NTFS a colon starts the
        # name of a stream.
        yield _CUTS.split(text)[0]


def _folded(name: str) -> str:
    """Returns the name without compatibility forms, marks, case and trailing signs."""
    if name.isascii() and name.isprintable():
        return "".join(name.lower().split()).rstrip(_AT_THE_END)
    text = unicodedata.normalize("NFKD", name.translate(_BLANKS).translate(_DOTS))
    drawn = (c for c in text if _is_drawn(c) and unicodedata.category(c)[0] != "M")
    folded = "".join(drawn).translate(_DOTS).casefold()
    return "".join(folded.split()).rstrip(_AT_THE_END)


def written_in(fields: Iterable[bytes]) -> set[str]:
    """Returns every name that some program may read in these field values.

    From plain, numbered and extended parameters (RFC 2231) and encoded words (RFC 2047),
    quoted or not, repeated or not, within comments too. Raises TooManyNamesError.
    """
    names: set[str] = set()
    for field in fields:
        if len(field) > MAX_FIELD_OCTETS:
            raise TooManyNamesError
        for value in {field, _COMMENT.sub(b" ", field)}:
            names |= set(_names(value))
    return {name for name in names if name.strip()}


def _names(value: bytes) -> Iterator[str]:
    numbered: dict[int, list[bytes]] = {}
    for count, found in enumerate(_NAMED.finditer(value)):
        if count == MAX_NAMED:
            raise TooManyNamesError
        rest = value[found.end() : found.end() + _MAX_VALUE_OCTETS]
        values = _values(rest)
        for octets in values:
            yield from _texts(octets)
        if number := (found[1] or b"")[1:]:
            numbered.setdefault(int(number), []).append(values[0])
    if numbered:
        in_order = [numbered[number] for number in sorted(numbered)]
        for choice in (0, -1):
            yield from _texts(b"".join(octets[choice] for octets in in_order))


def _values(rest: bytes) -> list[bytes]:
    """Returns the possible values behind an equals sign, the most likely first."""
    quoted = _QUOTED.match(rest)
    if quoted:
        return [re.sub(rb"\\(.)", rb"\1", quoted[1]), quoted[1], rest.split(b";")[0]]
    whole = rest.split(b";")[0].strip()
    return [whole, *whole.split(None, 1)[:1]]


def _texts(octets: bytes) -> Iterator[str]:
    extended = _EXTENDED.fullmatch(octets)
    name = extended[1].decode("latin-1") if extended else ""
    for plain in {octets, unquote_to_bytes(extended[2] if extended else octets)}:
        yield charset.decode(plain, name)
        yield decode_words(plain)
