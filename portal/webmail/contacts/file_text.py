"""Decodes an uploaded address book, and remembers which lines it had to guess."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.webmail.contacts.contact_card import UnreadableFileError

# Octets.
SIZE_LIMIT = 2 * 1024 * 1024

# How other kinds of file begin, and what to do instead.
_OTHER_KINDS = {
    b"PK\x03\x04": "The file is a workbook. Save it as “CSV UTF-8” and choose that file.",
    b"\xd0\xcf\x11\xe0": "The file is a workbook. Save it as “CSV UTF-8” and choose "
    "that file.",
    b"!BDN": "The file is an Outlook data file. Export the contacts as CSV.",
}
_NO_TEXT = "The file is not text. Export it as CSV or vCard."
# Outlook exports in the computer's own code page, mostly Windows-1252.
_GUESS = "cp1252"
_LINES = re.compile(rb"(\r\n|\r|\n)")
# A vCard property that names the encoding of its value (vCard 2.1, RFC 2425 §5.8.4).
_CHARSET = re.compile(rb'[\w.-]+;[^:]*?CHARSET="?([\w-]+)', re.IGNORECASE)
# Those that address books use. Others are refused because Python's table of encodings
# also holds ones that take quadratic time.
_KNOWN = re.compile(
    r"us-ascii|utf-?8|iso-8859-\d{1,2}|windows-\d{3,4}|koi8-[ru]|macintosh|iso-2022-jp"
    r"|shift_jis|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FileText:
    """The text of a file, and the numbers of lines whose encoding was guessed."""

    text: str
    guessed: frozenset[int] = frozenset()
    remark: str = ""


def decode(data: bytes) -> FileText:
    """Decodes a file in any usual encoding. Raises UnreadableFileError."""
    if len(data) > SIZE_LIMIT:
        raise UnreadableFileError("The file is larger than 2 MB. Import it in parts.")
    for start, sentence in _OTHER_KINDS.items():
        if data.startswith(start):
            raise UnreadableFileError(sentence)
    encoding = _two_octet_encoding(data)
    try:
        if encoding:
            return FileText(_clean(data.decode(encoding)))
        if b"CHARSET=" not in data.upper():
            return FileText(_clean(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        if encoding:
            raise UnreadableFileError(_NO_TEXT) from error
    return _decode_lines(data.removeprefix(b"\xef\xbb\xbf"))


def is_known(charset: str) -> bool:
    """Returns whether a declared encoding is one of those that address books use."""
    return _KNOWN.fullmatch(charset) is not None


def _two_octet_encoding(data: bytes) -> str | None:
    """Returns the UTF-16 encoding of the data; None for encodings with one-octet ASCII.

    Without a byte order mark, every other octet of its ASCII letters is zero.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    head = data[:200]
    if len(data) % 2 or not head:
        return None
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, letters = head[first::2], head[1 - first :: 2]
        if zeros.count(0) * 10 > len(zeros) * 9 and letters.count(0) == 0:
            return encoding
    return None


def _decode_lines(data: bytes) -> FileText:
    """Decodes each line by itself: files that were joined have several encodings."""
    pieces = _LINES.split(data)
    texts: list[str] = []
    guessed: list[int] = []
    is_utf8 = False
    for number, (line, end) in enumerate(
        zip(pieces[::2], [*pieces[1::2], b""], strict=True), 1
    ):
        text = _declared(line)
        if text is None:
            try:
                text = line.decode()
                is_utf8 = is_utf8 or not text.isascii()
            except UnicodeDecodeError:
                text = line.decode(_GUESS, "replace")
                guessed.append(number)
        texts.append(text + end.decode())
    return FileText(
        _clean("".join(texts)), frozenset(guessed), _remark(guessed, is_mixed=is_utf8)
    )


def _declared(line: bytes) -> str | None:
    """Returns the line in the encoding that it names itself; None where it names none."""
    found = _CHARSET.match(line)
    if found is None or not is_known(found[1].decode()):
        return None
    try:
        return line.decode(found[1].decode())
    except (UnicodeDecodeError, LookupError):
        return None


def _remark(guessed: list[int], *, is_mixed: bool) -> str:
    if not guessed:
        return ""
    advice = (
        "were read as Western European (Windows). If names look wrong below, export the "
        "file again as UTF-8."
    )
    if not is_mixed:
        return (
            "The file does not say how its accented letters are encoded. They " + advice
        )
    others = f" and {len(guessed) - 1:,} more" if len(guessed) > 1 else ""
    return (
        "The file mixes encodings. Lines that are not UTF-8 as the others are (line "
        f"{guessed[0]}{others}) {advice}"
    )


def _clean(text: str) -> str:
    return text.replace("\0", "")
