"""Decides which attachments may travel, whatever a scanner says of them.

Used for every path: mail that arrives or is submitted, uploaded files, and mail from the
API. A community adds kinds to our list, or allows some of them (POSTERN_ATTACHMENTS_*).
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
    Refused,
    find,
)
from engine.antivirus.formats.inspection_budget import (
    Budget,
    TooMuchError,
    UnlistedError,
)
from engine.antivirus.scanners.eicar_messages import BESIDE_ENCRYPTED
from engine.antivirus.scanners.inner_content import Inner
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.mime import file_names, parts
from engine.mail.smtp_replies import FORBIDDEN_CONTENT

# The header field that names unscanned content. Only this service may write it.
MARK = "X-Postern-Not-Scanned"
_ENCRYPTED = "encrypted "


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, under the name that it was uploaded with."""

    name: str
    content_type: str
    octets: bytes = field(repr=False)
    is_attachment: bool = True
    is_ambiguous: bool = False

    @property
    def names(self) -> set[str]:
        """The one name that it was uploaded with."""
        return {self.name}

    @property
    def content_types(self) -> set[str]:
        """The type that the browser gave, in lower case without parameters."""
        return {self.content_type.partition(";")[0].strip().casefold()}

    def data(self) -> bytes:
        """Returns the octets."""
        return self.octets


@dataclass(slots=True)
class Examined:
    """The result for parts that may travel, as far as the policy goes.

    `unscanned` names content that could not be scanned, such as "encrypted PDF", and that
    the community allows. `inner` must be scanned separately before the message is accepted.
    With `stops_early`, the scanner stops at encrypted content and ignores what is beside
    it.
    """

    unscanned: set[str] = field(default_factory=set)
    inner: list[Inner] = field(default_factory=list)
    stops_early: bool = False


def check_can_carry(
    carried: Iterable[Carried], *, unopened: Set[str] = frozenset()
) -> Examined:
    """Examines parts or files. Raises PermanentFailure, whose text the sender reads.

    `unopened` are the kinds of archive that the configured scanners do not open
    (`coverage_proof.current`). Raises ScannerUnavailable where they find nothing at all.
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
    community allows that kind in POSTERN_ARCHIVES_UNSCANNED."""
    if kind not in settings.POSTERN.archives_unscanned:
        raise _refusal(
            f"The virus scanner here does not open files of the kind .{kind}, so that they "
            "are not carried: send what is in it as a zip file, or one by one"
        )


def _check_can_carry_encrypted(what: str, examined: Examined) -> None:
    """Raises PermanentFailure where encrypted content may not travel.

    It may not, either, where the scanner stops there, because a virus could travel
    beside it.
    """
    if examined.stops_early or settings.POSTERN.encrypted_content == "refuse":
        article = "An" if what[0] in "aeo" else "A"
        raise _refusal(
            f"{article} {what} that is encrypted cannot be scanned for viruses and is not "
            "carried here: send it without a password and without encryption"
        )


def unscanned(examined: Examined, verdict: Verdict) -> list[str]:
    """Returns what could not be scanned, by our inspection or else by the scanner's.

    Raises PermanentFailure where it may not travel.
    """
    found = set(examined.unscanned)
    if verdict.is_encrypted and not any(one.startswith(_ENCRYPTED) for one in found):
        _check_can_carry_encrypted("file", examined)
        found.add(f"{_ENCRYPTED}file")
    return sorted(found)


def marked(header: HeaderBlock, what: Sequence[str]) -> HeaderBlock:
    """Replaces any mark in the header with ours; none where everything was scanned."""
    header = header.without(MARK)
    return header.prepended(MARK, ", ".join(what)) if what else header


def can_carry(carried: Iterable[Carried]) -> bool:
    """Returns whether the parts may travel, whatever the scanner opens."""
    try:
        check_can_carry(carried)
    except PermanentFailure:
        return False
    return True


def is_quick(part: parts.Part) -> bool:
    """Returns whether the part can be judged without unpacking or trying a password."""
    data = part.data()
    is_slow = may_hold_files(data) or encryption.needs_all(data)
    return not (is_slow or magic.is_message(data))


def warns_of(name: str, data: bytes) -> bool:
    """Returns whether a browser might run scripts in it: a web page or a drawing."""
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
    """Yields the findings in a part; refuses one that cannot be inspected."""
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
