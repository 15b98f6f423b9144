"""Which attachments may not travel, whatever a scanner says of them.

Every path decides here: mail that arrives or is submitted, files that somebody brings
to a page, and what the API sends. What counts is every name that some program may give
the file, every type, and its octets, at any depth: inside attached messages and
archives too. A community adds kinds to ours, or lets some of ours travel
(POSTERN_ATTACHMENTS_*).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from django.conf import settings

from engine.antivirus import kinds, magic
from engine.antivirus.formats.errors import UnlistedError
from engine.antivirus.member import Budget, Member, TooMuchError
from engine.antivirus.members import is_container, may_hold_files, members
from engine.mail import file_names, parts, transfer
from engine.mail.errors import PermanentFailure
from engine.mail.message import split, with_line_ends
from engine.mail.reply import FORBIDDEN_CONTENT

MAX_DEPTH = 8  # archives and messages inside one another

_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,70}:")
_MIME = re.compile(rb"^(?:content-type|mime-version):", re.IGNORECASE | re.MULTILINE)
_BODIES = frozenset(("text/plain", "text/html", "application/xhtml+xml"))


class Carried(Protocol):
    """What is judged: a part of a message, or a file that somebody brings."""

    @property
    def names(self) -> set[str]: ...

    @property
    def content_types(self) -> set[str]: ...

    @property
    def is_attachment(self) -> bool: ...

    @property
    def is_ambiguous(self) -> bool: ...

    def data(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class File:
    """A file before it is part of a message, under the name that somebody gave it."""

    name: str
    content_type: str
    octets: bytes = field(repr=False)
    is_attachment: bool = True
    is_ambiguous: bool = False

    @property
    def names(self) -> set[str]:
        return {self.name}

    @property
    def content_types(self) -> set[str]:
        return {self.content_type.partition(";")[0].strip().casefold()}

    def data(self) -> bytes:
        return self.octets


def check_can_carry(carried: Iterable[Carried]) -> None:
    """Raises PermanentFailure with the sentence the sender reads."""
    budget = Budget()
    for one in carried:
        if one.is_ambiguous:
            raise _refusal(
                "A part of the message describes itself twice, differently: "
                "send the file again as one attachment"
            )
        kind = _first_refused(one, budget)
        if kind:
            shown = kind if "/" in kind else f".{kind}"
            raise _refusal(
                f"Attachments of the kind {shown} are not carried here: "
                "remove it, or send it as a document"
            )


def can_carry(carried: Iterable[Carried]) -> bool:
    try:
        check_can_carry(carried)
    except PermanentFailure:
        return False
    return True


def is_quick(part: parts.Part) -> bool:
    """Whether nothing need be unpacked to judge the part."""
    data = part.data()
    return not (may_hold_files(data) or _is_message(data))


def warns_of(name: str, data: bytes) -> bool:
    """Whether a file may do more in a browser than show itself: a page or a drawing."""
    found = magic.recognise(data[: magic.HEAD], size=len(data))
    shown = set(found.kinds) if found else set[str]()
    return not kinds.ACTIVE_ENDINGS.isdisjoint(file_names.endings([name]) | shown)


def is_refused(kind: str) -> bool:
    """Whether a kind, an ending or a content type, may not travel in this community.

    `video/*` stands for every type of video.
    """
    service = settings.POSTERN
    names = {kind, f"{kind.partition('/')[0]}/*"} if "/" in kind else {kind}
    if not names.isdisjoint(service.attachments_allowed):
        return False
    if not names.isdisjoint(service.attachments_refused):
        return True
    if kind in kinds.ACTIVE_ENDINGS:
        return bool(service.attachments_active == "refuse")
    return kind in kinds.REFUSED_ENDINGS or kind in kinds.REFUSED_TYPES


def _refusal(text: str) -> PermanentFailure:
    return PermanentFailure(FORBIDDEN_CONTENT.saying(text))


def _first_refused(one: Carried, budget: Budget) -> str:
    try:
        return next(_refused_kinds(one, budget, 0), "")
    except file_names.TooManyNamesError as error:
        raise _refusal(
            "An attachment has too many names: send the file again under one"
        ) from error
    except TooMuchError as error:
        raise _refusal(
            "The attachments hold more files than can be looked into: "
            "send them in several messages"
        ) from error
    except UnlistedError as error:
        raise _refusal(
            "An archive hides the names of its files, or is damaged: send it as a zip "
            "file, or without encrypting the names"
        ) from error


def _refused_kinds(one: Carried, budget: Budget, depth: int) -> Iterator[str]:
    is_body = not one.is_attachment and one.content_types <= _BODIES
    names = one.names
    yield from _by_type(one.content_types, is_body=is_body)
    yield from _by_name(names, is_page=not is_body)
    data = one.data()
    if is_body:
        yield from _by_octets(Member("", data), names, is_body=True)
        encoded = transfer.uu_names(data)
        yield from _by_name(name.decode("utf-8", "replace") for name in encoded)
    elif one.content_types.isdisjoint(parts.MESSAGES):
        # The parts of an attached message come on their own.
        yield from _inside(Member(next(iter(names), ""), data), names, budget, depth)


def _by_type(content_types: Iterable[str], *, is_body: bool) -> Iterator[str]:
    allowed = settings.POSTERN.attachments_allowed
    for content_type in content_types:
        kind = kinds.TYPES.get(content_type, content_type)
        if content_type in allowed or (is_body and kind in kinds.ACTIVE_ENDINGS):
            continue
        if is_refused(content_type) or is_refused(kind):
            yield content_type


def _by_name(names: Iterable[str], *, is_page: bool = True) -> Iterator[str]:
    for ending in sorted(file_names.endings(names)):
        if is_refused(ending) and (is_page or ending not in kinds.ACTIVE_ENDINGS):
            yield ending


def _by_octets(
    member: Member, names: Iterable[str], *, is_body: bool = False, is_page: bool = True
) -> Iterator[str]:
    """By what the file is: unless the community lets it travel under one of its names.

    In what is shown as text, only what is no text counts.
    """
    size = len(member.data) if member.is_whole else 0
    found = magic.recognise(member.data, size=size, end=member.end)
    if found is None or (is_body and found.is_text):
        return
    if not is_page and found.kinds[0] in kinds.ACTIVE_ENDINGS:
        return
    own = file_names.endings(names) & set(found.kinds)
    if is_refused(found.kinds[0]) and not any(not is_refused(kind) for kind in own):
        yield found.kinds[0]


def _inside(
    member: Member,
    names: Iterable[str],
    budget: Budget,
    depth: int,
    *,
    is_page: bool = True,
) -> Iterator[str]:
    """The refused kinds in a file and, at any depth, in what it holds."""
    yield from _by_octets(member, names, is_page=is_page)
    is_message = _is_message(member.data)
    if depth >= MAX_DEPTH and (is_message or is_container(member.data)):
        raise TooMuchError
    if is_message:
        for part in parts.walk(*split(with_line_ends(member.data)), strict=True):
            yield from _refused_kinds(part, budget, depth + 1)
        return
    is_page = file_names.endings(names).isdisjoint(kinds.DOCUMENT_ENDINGS)
    for inner in members(member.data, member.name, budget):
        yield from _by_name([inner.name], is_page=is_page)
        yield from _by_folder(inner.name)
        if inner.data:
            yield from _inside(inner, [inner.name], budget, depth + 1, is_page=is_page)


def _by_folder(name: str) -> Iterator[str]:
    for folder in PurePosixPath(name).parts[:-1]:
        for ending in file_names.endings([folder]) & kinds.FOLDER_ENDINGS:
            if is_refused(ending):
                yield ending


def _is_message(data: bytes) -> bool:
    """Whether it reads like a message with parts, as an attached .eml does."""
    return bool(_FIELD.match(data)) and bool(_MIME.search(data[: magic.HEAD]))
