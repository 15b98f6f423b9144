"""Opens winmail.dat, in which Outlook wraps a message and its files (MS-OXTNEF).

The frames are read here: each length is checked against the octets there are, and files
are ranges of them, exact and not copied. tnefparse 1.4 decodes single properties. Given a
whole file it copies the rest of it for each attribute, believes every count, and strips
zero octets off the ends of files.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from tnefparse import TNEF
from tnefparse import properties as mapi
from tnefparse.mapi import decode_mapi

from engine.mail.mime import charset, codepages, file_names, rtf, tnef_frames
from engine.mail.mime.tnef_frames import Attribute, Frames, MalformedError, Property

CONTENT_TYPES = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
SIGNATURE = TNEF.TNEF_SIGNATURE.to_bytes(4, "little")

MAX_FILES = 1000
MAX_DEPTH = 5  # of messages attached to one another
MAX_TEXT_OCTETS = 16 * 1024 * 1024  # of one body

_START = len(SIGNATURE) + 2
_MAX_OCTETS = 64 * 1024  # of a property that is not a body
_ONE = (1).to_bytes(4, "little")  # the count before properties
# Classes of objects: a message, a storage and a stream (MS-OXTNEF §2.1.3.4).
_CLASS_END = bytes.fromhex("00000000c000000000000046")
_MESSAGE = bytes.fromhex("07030200") + _CLASS_END
_CONTAINERS = tuple(bytes([octet, 0, 0, 0]) + _CLASS_END for octet in b"\x0b\x0c")

_BODIES = (mapi.MAPI_BODY, mapi.MAPI_BODY_HTML, mapi.MAPI_RTF_COMPRESSED)
_OF_MESSAGE = frozenset((*_BODIES, mapi.MAPI_SUBJECT, mapi.MAPI_INTERNET_CODEPAGE))
_NAMES = (
    mapi.MAPI_ATTACH_LONG_FILENAME,
    mapi.MAPI_ATTACH_FILENAME,
    mapi.MAPI_DISPLAY_NAME,
)
_OF_FILE = frozenset((*_NAMES, mapi.MAPI_ATTACH_MIME_TAG, mapi.MAPI_ATTACH_CONTENT_ID))
_DATA = mapi.MAPI_ATTACH_DATA_OBJ  # the same number holds files as octets
_CONTENT = frozenset((tnef_frames.OBJECT, tnef_frames.BINARY))
_DECODED = frozenset(
    (tnef_frames.INTEGER, tnef_frames.STRING, tnef_frames.UNICODE, tnef_frames.BINARY)
)

# What it has to say about malformed properties is in `is_whole`.
_log = logging.getLogger("tnefparse")
_log.propagate = False
_log.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class TnefFile:
    """A file in a winmail.dat: the octets from `start` to `end` of it.

    `name` is canonical; `names` are all that programs may give it. An attached message
    of Outlook's own form is a winmail.dat in these octets, opened in `message` unless it
    lies too deep.
    """

    start: int
    end: int
    name: str = ""
    names: frozenset[str] = frozenset()
    content_type: str = ""
    content_id: str = ""
    is_message: bool = False
    message: Tnef | None = None


@dataclass(frozen=True, slots=True)
class Tnef:
    """What a winmail.dat holds. Without `is_whole`, something in it was not readable."""

    subject: str = ""
    text: str = ""
    html: str = ""
    files: tuple[TnefFile, ...] = ()
    is_whole: bool = True


def is_tnef(start: bytes) -> bool:
    """Returns whether a file with these first octets is a winmail.dat, whatever its type."""
    return start.startswith(SIGNATURE)


def read(data: bytes, budget: rtf.Budget | None = None) -> Tnef | None:
    """Returns the content of a winmail.dat; None where the octets are none. Never raises.

    The text is that of the plain body or, without any other, of the Rich Text, as far as
    the budget goes. Takes time in proportion to the octets.
    """
    return _Reader(data, budget or rtf.Budget()).message(0, len(data), 0)


@dataclass(slots=True)
class _Attachment:
    """One attachment, as its attributes add to it."""

    contents: list[tuple[int, int, bool]] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    title: str = ""


class _Reader:
    """One reading, with what may still be spent on it and the messages attached."""

    def __init__(self, data: bytes, budget: rtf.Budget) -> None:
        self.data = data
        self.frames = Frames(data)
        self.files_left = MAX_FILES
        self.rich_text = budget

    def message(self, start: int, end: int, depth: int) -> Tnef | None:
        if not self.data.startswith(SIGNATURE, start, end):
            return None
        one = _Message(self, depth)
        try:
            for attribute in self.frames.attributes(start + _START, end):
                one.add(attribute)
        except MalformedError:
            one.is_whole = False
        return one.result()


class _Message:
    """One message, as its attributes add to it."""

    def __init__(self, reader: _Reader, depth: int) -> None:
        self._reader = reader
        self._frames = reader.frames
        self._data = reader.data
        self._depth = depth
        self.is_whole = True
        self._codepage = 1252
        self._internet_codepage = 0
        self._body = b""
        self._values: dict[int, str | bytes] = {}
        self._attachments: list[_Attachment] = []

    def add(self, one: Attribute) -> None:
        try:
            self._add(one)
        except MalformedError:  # within this one
            self.is_whole = False

    def _add(self, one: Attribute) -> None:
        if one.name == TNEF.ATTATTACHRENDDATA:
            self._attachments.append(_Attachment())
        elif one.level == TNEF.LVL_ATTACHMENT:
            self._add_to_attachment(one)
        elif one.name == TNEF.ATTMAPIPROPS:
            self._add_properties(one)
        elif one.name == TNEF.ATTOEMCODEPAGE:
            self._codepage = self._frames.number(one.start, one.end)
        elif one.name == TNEF.ATTBODY:
            self._body = self._data[one.start : one.end]
        elif one.name == TNEF.ATTSUBJECT:
            self._values.setdefault(mapi.MAPI_SUBJECT, self._string(one))

    def result(self) -> Tnef:
        text = self._text(mapi.MAPI_BODY) or self._decoded(self._body).rstrip("\0")
        html = self._text(mapi.MAPI_BODY_HTML)
        if not text and not html:
            text = self._rich_text()
        files = tuple(file for one in self._attachments for file in self._files(one))
        subject = charset.on_one_line(self._text(mapi.MAPI_SUBJECT))
        return Tnef(subject, text, html, files, self.is_whole)

    def _add_properties(self, attribute: Attribute) -> None:
        for one in self._frames.properties(attribute.start, attribute.end):
            if one.name not in _OF_MESSAGE:
                continue
            value = self._value(one)
            if one.name == mapi.MAPI_INTERNET_CODEPAGE:
                self._internet_codepage = value if isinstance(value, int) else 0
            elif isinstance(value, (str, bytes)):
                self._values[one.name] = value

    def _add_to_attachment(self, attribute: Attribute) -> None:
        if not self._attachments:
            self._attachments.append(_Attachment())
        to = self._attachments[-1]
        start, end = attribute.start, attribute.end
        if attribute.name == TNEF.ATTATTACHDATA:
            to.contents.append((start, end, False))
        elif attribute.name == TNEF.ATTATTACHTITLE:
            to.title = self._string(attribute)
        elif attribute.name == TNEF.ATTATTACHMENT:
            for one in self._frames.properties(start, end):
                if one.name == _DATA and one.kind in _CONTENT:
                    to.contents.append(self._object(*one.first))
                elif one.name in _OF_FILE:
                    value = self._value(one)
                    to.texts[one.name] = value if isinstance(value, str) else ""

    def _object(self, start: int, end: int) -> tuple[int, int, bool]:
        class_id = self._data[start : min(end, start + len(_MESSAGE))]
        if class_id == _MESSAGE:
            return start + len(_MESSAGE), end, True
        if class_id in _CONTAINERS:
            start += len(class_id)
        return start, end, False

    def _value(self, one: Property) -> str | bytes | int | None:
        """Returns a property as tnefparse decodes it; None where it cannot."""
        if one.name == mapi.MAPI_RTF_COMPRESSED:
            return self._data[slice(*one.first)]
        most = MAX_TEXT_OCTETS if one.name in _BODIES else _MAX_OCTETS
        if one.kind not in _DECODED or one.end - one.start > most:
            self.is_whole = False
            return None
        octets = self._data[one.start : one.end]
        # Octets become the characters of the same numbers: a charset that has no such
        # octet would cost the property.
        found = decode_mapi(_ONE + octets, "latin-1")
        value = found[0].data if found else None
        if isinstance(value, str) and one.kind == tnef_frames.STRING:
            return self._decoded(value.encode("latin-1"))
        if isinstance(value, (str, bytes, int)):
            return value
        self.is_whole = False
        return None

    def _text(self, name: int) -> str:
        value = self._values.get(name, "")
        if isinstance(value, bytes):
            value = charset.decode(value, codepages.charset_of(self._internet_codepage))
        return value.rstrip("\0")

    def _rich_text(self) -> str:
        value = self._values.get(mapi.MAPI_RTF_COMPRESSED)
        if not isinstance(value, bytes):
            return ""
        try:
            rich, is_whole = rtf.decompress(value, self._reader.rich_text.left)
        except ValueError:
            self.is_whole = False
            return ""
        self._reader.rich_text.left -= len(rich)
        self.is_whole = self.is_whole and is_whole
        return rtf.to_text(rich).strip()

    def _files(self, one: _Attachment) -> Iterator[TnefFile]:
        named = [one.texts.get(number, "") for number in _NAMES]
        names = [name for name in (*named[:2], one.title, named[2]) if name]
        for start, end, is_message in one.contents:
            self._reader.files_left -= 1
            if self._reader.files_left < 0:
                self.is_whole = False
                return
            inner = self._inner(start, end) if is_message else None
            yield TnefFile(
                start,
                end,
                next(filter(None, map(file_names.canonical, names)), ""),
                frozenset(names),
                one.texts.get(mapi.MAPI_ATTACH_MIME_TAG, "").strip().lower(),
                one.texts.get(mapi.MAPI_ATTACH_CONTENT_ID, "").strip(" <>"),
                is_message,
                inner,
            )

    def _inner(self, start: int, end: int) -> Tnef | None:
        inner = None
        if self._depth < MAX_DEPTH:
            inner = self._reader.message(start, end, self._depth + 1)
        if inner is None or not inner.is_whole:
            self.is_whole = False
        return inner

    def _string(self, one: Attribute) -> str:
        octets = self._data[one.start : min(one.end, one.start + _MAX_OCTETS)]
        return self._decoded(octets.split(b"\0")[0])

    def _decoded(self, octets: bytes) -> str:
        return charset.decode(octets, codepages.charset_of(self._codepage))
