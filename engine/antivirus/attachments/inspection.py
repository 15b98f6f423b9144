"""Inspects a part or a file for everything that the policy judges, at any depth.

Counts every name that some program may give a file, every content type, and the octets,
also inside attached messages, signatures and archives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, TypeAlias

from django.conf import settings

from engine.antivirus.attachments import archive_kinds, encryption, magic, refused_kinds
from engine.antivirus.attachments.archive_members import (
    is_container,
    may_hold_files,
    members,
)
from engine.antivirus.formats.inspection_budget import Budget, Member, TooMuchError
from engine.antivirus.scanners.inner_content import Inner
from engine.mail.message import split, with_line_ends
from engine.mail.mime import (
    file_names,
    part_walker,
    parts,
    smime,
    transfer_encoding,
    uuencoded,
)
from engine.mail.mime.boundaries import Region

MAX_DEPTH = 8  # archives and messages inside one another
# Octets of the budget that an element of a signature costs: both take about as long.
ELEMENT = 256

_BODIES = frozenset(("text/plain", "text/html", "application/xhtml+xml"))


class Carried(Protocol):
    """What is inspected: a part of a message, or an uploaded file."""

    @property
    def names(self) -> set[str]:
        """Every name that some program may give it."""

    @property
    def content_types(self) -> set[str]:
        """Every content type that some program may give it."""

    @property
    def is_attachment(self) -> bool:
        """Whether programs show it as an attachment, not as the message's text."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether it describes itself twice, differently."""

    def data(self) -> bytes:
        """Returns the decoded octets."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A kind, by ending or content type, that may not travel in this community."""

    kind: str


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Something encrypted, such as a "PDF"."""

    what: str


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive, of a kind that the scanner must be able to open."""

    kind: str


Finding: TypeAlias = Refused | Encrypted | Archive | Inner


def is_refused(kind: str) -> bool:
    """Returns whether a kind, given as an ending or content type, may not travel here.

    In the settings, `video/*` stands for every type of video.
    """
    service = settings.POSTERN
    names = {kind, f"{kind.partition('/')[0]}/*"} if "/" in kind else {kind}
    if not names.isdisjoint(service.attachments_allowed):
        return False
    if not names.isdisjoint(service.attachments_refused):
        return True
    if kind in refused_kinds.ACTIVE_ENDINGS:
        return bool(service.attachments_active == "refuse")
    return kind in refused_kinds.REFUSED_ENDINGS or kind in refused_kinds.REFUSED_TYPES


def find(one: Carried, budget: Budget, depth: int = 0) -> Iterator[Finding]:
    """Yields the findings, the outermost first.

    Raises TooManyNamesError, TooManyParts, TooMuchError, and UnlistedError for an archive
    that hides its names.
    """
    is_body = not one.is_attachment and one.content_types <= _BODIES
    names = one.names
    yield from _by_type(one.content_types, is_body=is_body)
    yield from _by_name(names, is_page=not is_body)
    if what := encryption.of_types(one.content_types):
        yield Encrypted(what)
    data = one.data()
    content = _read(data, budget)
    if is_body:
        yield from _encoded_in(data, budget)
        encoded = transfer_encoding.uu_names(data)
        yield from _by_name(name.decode("utf-8", "replace") for name in encoded)
        if not _is_file(data):
            yield from _by_key(encryption.of_octets(data, content, budget))
            yield from _by_octets(Member("", data), names, is_text=True)
            return
    entity = (
        part_walker.entity_in(one, content) if isinstance(one, parts.Part) else None
    )
    if entity is None and not is_body:
        yield from _encoded_in(data, budget)
    if entity is None and encryption.is_unreadable(data, one.content_types):
        yield Encrypted("message")
    if isinstance(one, parts.Part) and (entity is None or not _is_mail(data)):
        # Scanned separately, because the scanner may parse the message's MIME differently
        # and so not find this part.
        budget.spend(len(data))
        yield Inner(one.region, is_message=False, encoding=one.encoding)
    if entity is not None:
        yield _inner(entity, budget)
    # The parts of an entity are inspected on their own, but it may be a file as well.
    member, is_walked = Member(next(iter(names), ""), data), entity is not None
    yield from _inside(
        member,
        names,
        budget,
        depth,
        content=content,
        is_walked=is_walked,
        is_text=is_body,
    )


def _read(data: bytes, budget: Budget) -> smime.Content:
    """Parses octets as S/MIME. Done once, because it takes time for each element."""
    content = smime.read(data)
    budget.spend(ELEMENT * content.elements, members=0)
    return content


def _encoded_in(data: bytes, budget: Budget) -> Iterator[Inner]:
    """Yields the files that are encoded in a text, also those too broken to be shown."""
    if not uuencoded.may_hold_files(data):
        return
    budget.spend(len(data), members=0)
    for count, octets in enumerate(uuencoded.loosely(data)):
        if count == uuencoded.MAX_FILES:
            raise TooMuchError
        if octets:
            yield _inner(Region.whole(octets), budget, is_message=False)


def _is_mail(data: bytes) -> bool:
    return magic.begins_with_field(data) and not _is_file(data)


def _is_file(data: bytes) -> bool:
    """Returns whether the octets are a file, whatever their content type says."""
    return may_hold_files(data) or encryption.needs_all(data) or b"\0" in data


def _by_type(content_types: Iterable[str], *, is_body: bool) -> Iterator[Finding]:
    allowed = settings.POSTERN.attachments_allowed
    for content_type in content_types:
        kind = refused_kinds.TYPES.get(content_type, content_type)
        if content_type in allowed or (
            is_body and kind in refused_kinds.ACTIVE_ENDINGS
        ):
            continue
        if is_refused(content_type) or is_refused(kind):
            yield Refused(content_type)


def _by_name(names: Iterable[str], *, is_page: bool = True) -> Iterator[Finding]:
    for ending in sorted(file_names.endings(names)):
        if is_refused(ending) and (
            is_page or ending not in refused_kinds.ACTIVE_ENDINGS
        ):
            yield Refused(ending)


def _by_octets(
    member: Member, names: Iterable[str], *, is_text: bool = False, is_page: bool = True
) -> Iterator[Finding]:
    """Yields a refusal by the file's content, unless one of its names allows it to travel.

    In a part that is shown as text, only binary content counts.
    """
    size = len(member.data) if member.is_whole else 0
    found = magic.recognise(member.data, size=size, end=member.end)
    if found is None or (is_text and found.is_text):
        return
    if not is_page and found.kinds[0] in refused_kinds.ACTIVE_ENDINGS:
        return
    own = file_names.endings(names) & set(found.kinds)
    if is_refused(found.kinds[0]) and not any(not is_refused(kind) for kind in own):
        yield Refused(found.kinds[0])


def _inside(
    member: Member,
    names: Iterable[str],
    budget: Budget,
    depth: int,
    *,
    content: smime.Content | None = None,
    is_page: bool = True,
    is_walked: bool = False,
    is_text: bool = False,
) -> Iterator[Finding]:
    """Yields the findings in a file and, at any depth, in the files inside it.

    `content` is the result of parsing it as S/MIME, if that was done. With `is_walked`, it
    is or signs a message whose parts are inspected elsewhere. With `is_text`, programs show
    it as text.
    """
    yield from _by_octets(member, names, is_page=is_page, is_text=is_text or is_walked)
    content = content or _read(member.data, budget)
    yield from _by_key(encryption.of_member(member.name, member.data, content, budget))
    yield from map(Archive, archive_kinds.of_octets(member.data))
    signed = None if is_walked else content.signed
    data = member.data if signed is None else signed
    is_message = magic.is_message(data) and not is_walked
    is_inner = is_message or signed is not None
    if depth >= MAX_DEPTH and (is_inner or is_container(data)):
        raise TooMuchError
    if is_inner:
        yield _inner(Region.whole(data), budget, is_message=is_message)
    if is_message:
        for part in part_walker.walk(*split(with_line_ends(data)), strict=True):
            yield from find(part, budget, depth + 1)
        return
    if signed is not None:
        yield from _inside(Member(member.name, signed), names, budget, depth + 1)
        return
    yield from _in_archive(member, names, budget, depth)


def _in_archive(
    archive: Member, names: Iterable[str], budget: Budget, depth: int
) -> Iterator[Finding]:
    """Yields the findings in an archive's members; none for another file."""
    is_page = file_names.endings(names).isdisjoint(refused_kinds.DOCUMENT_ENDINGS)
    for inner in members(archive.data, archive.name, budget):
        yield from _by_name([inner.name], is_page=is_page)
        yield from _by_folder(inner.name)
        yield from map(Archive, archive_kinds.of_member(inner.name))
        if inner.is_encrypted:
            yield Encrypted("archive")
        if inner.data:
            yield from _inside(inner, [inner.name], budget, depth + 1, is_page=is_page)


def _inner(region: Region, budget: Budget, *, is_message: bool = True) -> Inner:
    # A separate scan costs as much as unpacking the same octets.
    budget.spend(region.end - region.start)
    return Inner(region, is_message)


def _by_key(what: str) -> Iterator[Finding]:
    if what:
        yield Encrypted(what)


def _by_folder(name: str) -> Iterator[Finding]:
    for folder in PurePosixPath(name).parts[:-1]:
        for ending in file_names.endings([folder]) & refused_kinds.FOLDER_ENDINGS:
            if is_refused(ending):
                yield Refused(ending)
