"""Decodes and encodes the encoded words of header fields (RFC 2047), and folds fields."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Iterator

from engine.mail.mime import charset
from engine.mail.mime.charset_names import codec_of

# The rest of a value with more encoded words is shown undecoded.
MAX_WORDS = 500
MAX_VALUE_OCTETS = 64 * 1024

# RFC 2047 §2: 75 characters, of which "=?utf-8?b?" and "?=" take 12.
_OCTETS_IN_WORD = 45
# RFC 5322 §2.1.1: a line should have 78 octets at most, and must not have over 998.
_FOLD_AT = 78
_MAX_UNBROKEN = 900

# RFC 2047 §2, and what programs write besides: raw octets, question marks, no charset. A
# question mark is text unless the next word may begin there.
_WORD = re.compile(
    rb"=\?([0-9A-Za-z!#$%&'+^_`{}~.:-]{0,60})(?:\*[0-9A-Za-z-]{0,20})?\?([BbQq])\?"
    rb"([!->@-~ \x80-\xff]*+(?:(?<!=)\?(?!=)[!->@-~ \x80-\xff]*+){0,20})\?="
)
_NOT_BASE64 = re.compile(rb"[^0-9A-Za-z+/]+")
_BREAK = re.compile(r"(?<=\S) (?=\S)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def decode_words(value: bytes) -> str:
    """Returns the value as a person reads it, on one line; never raises."""
    value = value[:MAX_VALUE_OCTETS]
    if b"=?" in value:
        return charset.on_one_line("".join(_pieces(value)))
    return charset.on_one_line(charset.decode(value, ""))


def encode_text(value: str) -> str:
    """Returns the value as it may stand in a header: ASCII, one line, no controls.

    Text that already looks like an encoded word is encoded too, and is shown as is.
    """
    text = _CONTROLS.sub(" ", value).strip(" ")
    unbroken = max(map(len, _BREAK.split(text)))
    if text.isascii() and "=?" not in text and unbroken <= _MAX_UNBROKEN:
        return text
    return " ".join(_encoded(text.encode("utf-8", "replace").decode()))


def fold(text: str, used: int) -> str:
    """Returns a line folded where it would be too long (RFC 5322 §2.1.1).

    `used` columns of the first line are taken already. Folds are at single spaces only,
    so that unfolding returns exactly the same text.
    """
    lines, line, room = [], "", _FOLD_AT - used
    for word in _BREAK.split(text):
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line, room = word, _FOLD_AT - 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _encoded(text: str) -> Iterator[str]:
    # RFC 2047 §5: no character may be split between two encoded words.
    chunk = b""
    for character in text:
        octets = character.encode()
        if len(chunk) + len(octets) > _OCTETS_IN_WORD:
            yield f"=?utf-8?b?{b64encode(chunk).decode()}?="
            chunk = b""
        chunk += octets
    if chunk:
        yield f"=?utf-8?b?{b64encode(chunk).decode()}?="


def _pieces(value: bytes) -> Iterator[str]:
    """Yields the decoded words and the text between them.

    White space between two words is not shown (RFC 2047 §6.2). Adjacent words in one
    charset are joined before decoding: many programs split inside a character.
    """
    name, octets, end = "", b"", 0
    for count, found in enumerate(_WORD.finditer(value)):
        if count == MAX_WORDS:
            break
        between = value[end : found.start()]
        word_charset = found[1].decode("ascii").lower()
        is_apart = word_charset != name or codec_of(name) == "utf_7"
        if between.strip() or (octets and is_apart):
            yield charset.decode(octets, name)
            octets = b""
        if between.strip() or not end:
            yield charset.decode(between, "")
        name, end = word_charset, found.end()
        octets += _word_octets(found[2], found[3])
    yield charset.decode(octets, name)
    yield charset.decode(value[end:], "")


def _word_octets(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"Qq":
        return a2b_qp(text, header=True)
    if not text.isascii():
        return text
    try:
        return a2b_base64(text + b"==")
    except Error:
        # A program that cut the word left the first six bits of an octet.
        letters = _NOT_BASE64.sub(b"", text)
        return a2b_base64(letters[:-1] + b"==") if len(letters) > 1 else text
