"""Which attachments may not travel, whatever a scanner says of them.

Every path decides here: mail that arrives or is submitted, files that somebody brings
to a page, and what the API sends. What counts is every name that some program may give
the file, every type, and its octets, at any depth: inside attached messages and
archives too. A community adds kinds to ours, or lets some of ours travel
(POSTERN_ATTACHMENTS_*).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from django.conf import settings

from engine.antivirus.attachments import encryption, magic, refused_kinds
from engine.antivirus.attachments.archive_members import may_hold_files
from engine.antivirus.attachments.inspection import (
    Carried,
    Encrypted,
    Finding,
    Inner,
    Refused,
    find,
)
from engine.antivirus.attachments.inspection_budget import Budget, TooMuchError
from engine.antivirus.formats.errors import UnlistedError
from engine.antivirus.scanners.eicar_messages import BESIDE_ENCRYPTED
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.mime import file_names, parts
from engine.mail.smtp_replies import FORBIDDEN_CONTENT

# The header field that says what in a message could not be scanned. Only we write it.
MARK = "X-Postern-Not-Scanned"
_ENCRYPTED = "encrypted "


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


@dataclass(slots=True)
class Examined:
    """What else is to be known of parts that may travel.

    `unscanned` says what could not be looked into, such as "encrypted PDF", where the
    community lets it through. `inner` is to be scanned by itself, before the message is accepted.
    With `stops_early` the scanner says of what is encrypted nothing about what is beside it.
    """

    unscanned: set[str] = field(default_factory=set)
    inner: list[Inner] = field(default_factory=list)
    stops_early: bool = False


def check_can_carry(
    carried: Iterable[Carried], *, unopened: Set[str] = frozenset()
) -> Examined:
    """Raises PermanentFailure with the sentence the sender reads.

    `unopened` are the kinds of archive that the scanners in use do not open
    (`proof.current`). ScannerUnavailable is raised where they find nothing at all.
    """
    if "attachment" in unopened:
        raise ScannerUnavailable("the scanner does not find the standard test file")
    budget = Budget()
    examined = Examined(stops_early=BESIDE_ENCRYPTED in unopened)
    for one in carried:
        if one.is_ambiguous:
            raise _refusal(
                "A part of the message describes itself twice, differently: "
                "send the file again as one attachment"
            )
        for found in _found(one, budget):
            if isinstance(found, Refused):
                raise _refusal_of(found.kind)
            if isinstance(found, Inner):
                examined.inner.append(found)
            elif isinstance(found, Encrypted):
                _check_can_carry_encrypted(found.what, examined)
                examined.unscanned.add(f"{_ENCRYPTED}{found.what}")
            elif found.kind in unopened:
                check_can_carry_unopened(found.kind)
                examined.unscanned.add(f"{found.kind} archive")
    return examined


def check_can_carry_unopened(kind: str) -> None:
    """Raises PermanentFailure for an archive that the scanner does not open, unless the
    community lets that kind travel all the same."""
    if kind not in settings.POSTERN.archives_unscanned:
        raise _refusal(
            f"The virus scanner here does not open files of the kind .{kind}, so that they "
            "are not carried: send what is in it as a zip file, or one by one"
        )


def _check_can_carry_encrypted(what: str, examined: Examined) -> None:
    """Raises PermanentFailure where this community carries nothing that is encrypted.

    Neither does one whose scanner would stop there: anything might travel beside it.
    """
    if examined.stops_early or settings.POSTERN.encrypted_content == "refuse":
        article = "An" if what[0] in "aeo" else "A"
        raise _refusal(
            f"{article} {what} that is encrypted cannot be scanned for viruses and is not "
            "carried here: send it without a password and without encryption"
        )


def unscanned(examined: Examined, verdict: Verdict) -> list[str]:
    """What nobody could look into, by our own look or else by the scanner's.

    Raises PermanentFailure where this community does not carry it.
    """
    found = set(examined.unscanned)
    if verdict.is_encrypted and not any(one.startswith(_ENCRYPTED) for one in found):
        _check_can_carry_encrypted("file", examined)
        found.add(f"{_ENCRYPTED}file")
    return sorted(found)


def marked(header: HeaderBlock, what: Sequence[str]) -> HeaderBlock:
    """The header with our mark for what could not be scanned, and nobody else's."""
    header = header.without(MARK)
    return header.prepended(MARK, ", ".join(what)) if what else header


def can_carry(carried: Iterable[Carried]) -> bool:
    try:
        check_can_carry(carried)
    except PermanentFailure:
        return False
    return True


def is_quick(part: parts.Part) -> bool:
    """Whether nothing need be unpacked, and no lock tried, to judge the part."""
    data = part.data()
    is_slow = may_hold_files(data) or encryption.needs_all(data)
    return not (is_slow or magic.is_message(data))


def warns_of(name: str, data: bytes) -> bool:
    """Whether a file may do more in a browser than show itself: a page or a drawing."""
    found = magic.recognise(data[: magic.HEAD], size=len(data))
    shown = set(found.kinds) if found else set[str]()
    return not refused_kinds.ACTIVE_ENDINGS.isdisjoint(
        file_names.endings([name]) | shown
    )


def _refusal(text: str) -> PermanentFailure:
    return PermanentFailure(FORBIDDEN_CONTENT.saying(text))


def _refusal_of(kind: str) -> PermanentFailure:
    shown = kind if "/" in kind else f".{kind}"
    return _refusal(
        f"Attachments of the kind {shown} are not carried here: "
        "remove it, or send it as a document"
    )


def _found(one: Carried, budget: Budget) -> Iterator[Finding]:
    """What is found in the part; what cannot be looked into is refused."""
    try:
        yield from find(one, budget)
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
