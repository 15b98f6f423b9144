"""Rules against display names that impersonate an address, the helpdesk or the service."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings

from engine.mail import lookalike
from engine.mail.authors import claims_in
from engine.registry.errors import PolicyError
from engine.registry.models import Kind, Organisation

# Names by which members know the service. A part of a display name made only of these
# and of the filler words below impersonates it: "Jane (Helpdesk)".
_SERVICE = "helpdesk servicedesk postmaster hostmaster webmaster mailerdaemon sysadmin"
# Words that do so only as the whole name: "Jane Hill (Security)" names a department.
_OFFICES = "administrator notices notifications securemail security support"
_FILLER = (
    "account accounts admin administration alert alerts and automated automatic center "
    "centre community customer daemon department dept desk do email group help info it "
    "ict mail mailer member members message messages my no not notice notification of "
    "office official online our portal reply secure service services staff system "
    "systems team tech technical the user users verification webmail your"
)
_PREPOSITIONS = "at by for from of on via the our"


def _skeletons(words: str) -> frozenset[str]:
    return frozenset(map(lookalike.skeleton, words.split()))


_SERVICE_WORDS = _skeletons(_SERVICE)
_OFFICE_WORDS = _SERVICE_WORDS | _skeletons(_OFFICES)
_FILLER_WORDS = _skeletons(_FILLER)
_PREPOSITION_WORDS = _skeletons(_PREPOSITIONS)

# What divides a name into parts: brackets, quotes and control characters, and other
# signs unless they are inside a word.
_DIVIDING = frozenset(["Ps", "Pe", "Pi", "Pf", "Cc"])
_DASH = re.compile(r"\s[-\u2010-\u2015|/\u00b7~]+\s|[,;:\"\u201e\u201f]")
# Shorter words do not tell a reader which organisation is meant.
_DISTINCTIVE_LETTERS = 4
# Bounds on the work that one header can cause: words examined, octets examined, and how
# many words may spell one together ("h e l p d e s k").
_MAX_WORDS = 40
_MAX_NAME = 1000
_MAX_SPELT = 16
# Answers that are remembered, for names up to this length.
_CACHED, _CACHED_LENGTH = 1024, 100


def imitates_service(name: str, *, organisation: str = "") -> bool:
    """Returns True if a reader would take the name for the helpdesk's or the service's.

    That is a name that is only an office ("IT Helpdesk"), or that gives the community's
    name with an office or as a place of work ("Jane, Postern Support"). A name that
    contains a distinctive word of its own `organisation` belongs to that organisation's
    helpdesk.
    """
    community = settings.POSTERN.community_name
    if len(name) > _CACHED_LENGTH:
        return _imitates(name, organisation, community)
    return _remembered(name, organisation, community)


def _imitates(name: str, organisation: str, community: str) -> bool:
    words = lookalike.word_skeletons(name)[:_MAX_WORDS]
    own = "".join(lookalike.word_skeletons(community))
    if not words:
        return False
    if _names_service(words, own):
        return True
    if set(words) & _distinctive_words(organisation):
        return False
    return _is_made_of(words, _OFFICE_WORDS | {own}) or any(
        _is_made_of(part, _SERVICE_WORDS | {own}) for part in _parts(name)
    )


# The same names, message after message.
_remembered = lru_cache(maxsize=_CACHED)(_imitates)


def check_name(name: str, *, organisation: str = "") -> None:
    """Raises PolicyError for a name that could mislead about its bearer.

    Refused are names that contain an email address, hidden characters, or what imitates
    the service. Namesakes are not: people do share names.
    """
    if any(claim.is_certain for claim in claims_in(name)):
        raise PolicyError("Enter a name without an email address in it.")
    written = unicodedata.normalize("NFC", " ".join(name.split()))
    if lookalike.displayable(name) != written:
        raise PolicyError("Enter the name without hidden characters.")
    if imitates_service(name, organisation=organisation):
        raise PolicyError(
            f"“{name.strip()}” could be mistaken for this service. Add the name of "
            "the organisation, as in “Northfield Helpdesk”."
        )


def check_member_name(name: str, organisation: Organisation | None) -> None:
    """Raises PolicyError if the organisation may not give this name to anything of its.

    The operator's own people and mailboxes are exempt: they are the service.
    """
    if organisation is not None and organisation.kind != Kind.OPERATOR:
        check_name(name, organisation=organisation.name)


def safe_display_name(name: str, address: str) -> str:
    """Returns the name that a stranger chose, or the address if the name misleads."""
    shown = lookalike.displayable(name)
    try:
        check_name(shown)
    except PolicyError:
        return address
    return shown or address


def _distinctive_words(organisation: str) -> set[str]:
    words = {
        w
        for w in lookalike.word_skeletons(organisation)
        if len(w) >= _DISTINCTIVE_LETTERS
    }
    own = lookalike.word_skeletons(settings.POSTERN.community_name)
    return words - _OFFICE_WORDS - _FILLER_WORDS - set(own)


def _parts(name: str) -> list[list[str]]:
    """The words of each part of a name: inside and beside brackets, commas and dashes."""
    marked = "".join(
        "\n" if unicodedata.category(c) in _DIVIDING else c for c in name[:_MAX_NAME]
    )
    lines = _DASH.sub("\n", marked).split("\n")
    return [
        words
        for line in lines
        if (words := lookalike.word_skeletons(line)[:_MAX_WORDS])
    ]


def _is_made_of(words: Sequence[str], offices: frozenset[str]) -> bool:
    """Returns True if the words spell at least one office, and filler words otherwise.

    Words may be run together or torn apart, so every way to divide them is tried, by
    dynamic programming over the number of words read.
    """
    # Numbers of leading words that can be read, without an office so far, and with one.
    without, having = {0}, set[int]()
    for end in range(1, len(words) + 1):
        for start in range(max(0, end - _MAX_SPELT), end):
            spelt = lookalike.skeleton("".join(words[start:end]))
            if spelt in offices or _is_compound(spelt, offices):
                having |= {end} if start in without | having else set()
            elif spelt in _FILLER_WORDS:
                without |= {end} if start in without else set()
                having |= {end} if start in having else set()
    return len(words) in having


def _is_compound(word: str, offices: frozenset[str]) -> bool:
    """Returns True if an office and another word are written as one: "PosternSupport"."""
    return any(
        (word.startswith(office) and word[len(office) :] in _FILLER_WORDS | offices)
        or (word.endswith(office) and word[: -len(office)] in _FILLER_WORDS)
        for office in offices
    )


def _names_service(words: Sequence[str], own: str) -> bool:
    """Returns True if the community's name is given as an office or a place of work."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + _MAX_SPELT, len(words)) + 1):
            spelt = lookalike.skeleton("".join(words[start:end]))
            if spelt != own and not _is_compound(spelt, frozenset([own])):
                continue
            is_followed = end < len(words) and (
                words[end] in _OFFICE_WORDS | _FILLER_WORDS
            )
            is_place = start > 0 and words[start - 1] in _PREPOSITION_WORDS
            if is_followed or spelt != own or (is_place and end == len(words)):
                return True
    return False
