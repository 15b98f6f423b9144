"""Which names nobody may bear: another's address, and those of the service itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from django.conf import settings

from engine.mail import lookalike
from engine.mail.authors import claims_in
from engine.registry.errors import PolicyError
from engine.registry.models import Kind, Organisation

# What members know the service by. A part of a name that is made of these and of the
# words below, and of nothing else, passes for it: "Jane (Helpdesk)".
_SERVICE = "helpdesk servicedesk postmaster hostmaster webmaster mailerdaemon sysadmin"
# These do where they are the whole name: "Jane Hill (Security)" says whose she is.
_OFFICES = "administrator notices notifications securemail security support"
_BESIDE = (
    "account accounts admin administration alert alerts and automated automatic center "
    "centre community customer daemon department dept desk do email group help info it "
    "ict mail mailer member members message messages my no not notice notification of "
    "office official online our portal reply secure service services staff system "
    "systems team tech technical the user users verification webmail your"
)
_BEFORE = "at by for from of on via the our"


def _skeletons(words: str) -> frozenset[str]:
    return frozenset(map(lookalike.skeleton, words.split()))


_SERVICE_WORDS = _skeletons(_SERVICE)
_OFFICE_WORDS = _SERVICE_WORDS | _skeletons(_OFFICES)
_BESIDE_WORDS = _skeletons(_BESIDE)
_BEFORE_WORDS = _skeletons(_BEFORE)

# Brackets and quotes; other signs, except those that stand within words.
_DIVIDING = frozenset(["Ps", "Pe", "Pi", "Pf", "Cc"])
_DASH = re.compile(r"\s[-\u2010-\u2015|/\u00b7~]+\s|[,;:\"\u201e\u201f]")
# Letters of a word of an organisation's name by which a reader knows it.
_TELLING = 4
# Words that are looked at, and how many of them may spell one: "h e l p d e s k".
_MAX_WORDS = 40
_MAX_NAME = 1000
_MAX_SPELT = 16


def passes_for_service(name: str, *, organisation: str = "") -> bool:
    """Whether a reader takes the name for the helpdesk's, or for the service's own.

    So does one that is no more than an office ("IT Helpdesk"), and one that names the
    community beside an office or as where somebody is ("Jane, Postern Support"). One
    that says its own `organisation` passes for that organisation's.
    """
    words = lookalike.words(name)[:_MAX_WORDS]
    own = "".join(lookalike.words(settings.POSTERN.community_name))
    if not words:
        return False
    if _names_service(words, own):
        return True
    if set(words) & _telling(organisation):
        return False
    return _is_made_of(words, _OFFICE_WORDS | {own}) or any(
        _is_made_of(part, _SERVICE_WORDS | {own}) for part in _parts(name)
    )


def check_name(name: str, *, organisation: str = "") -> None:
    """Raise PolicyError for a name that passes for somebody else's address or office."""
    if any(claim.is_certain for claim in claims_in(name)):
        raise PolicyError("Enter a name without an email address in it.")
    written = unicodedata.normalize("NFC", " ".join(name.split()))
    if lookalike.shown(name) != written:
        raise PolicyError("Enter the name without hidden characters.")
    if passes_for_service(name, organisation=organisation):
        raise PolicyError(
            f"“{name.strip()}” would pass for this service. Add whose it is, like "
            "“Northfield Helpdesk”."
        )


def check_can_bear(name: str, organisation: Organisation | None) -> None:
    """Raise PolicyError where somebody of the organisation may not have the name.

    The service's own people and mailboxes, staff among them, are what they are called.
    """
    if organisation is not None and organisation.kind != Kind.OPERATOR:
        check_name(name, organisation=organisation.name)


def fit_to_show(name: str, address: str) -> str:
    """A stranger's chosen name, or the address where the name passes for another's."""
    shown = lookalike.shown(name)
    try:
        check_name(shown)
    except PolicyError:
        return address
    return shown or address


def _telling(organisation: str) -> set[str]:
    """The words by which a reader knows an organisation."""
    words = {w for w in lookalike.words(organisation) if len(w) >= _TELLING}
    own = lookalike.words(settings.POSTERN.community_name)
    return words - _OFFICE_WORDS - _BESIDE_WORDS - set(own)


def _parts(name: str) -> list[list[str]]:
    """The words of each part of a name: within and beside brackets, commas and dashes."""
    marked = "".join(
        "\n" if unicodedata.category(c) in _DIVIDING else c for c in name[:_MAX_NAME]
    )
    # A hyphen within a word divides nothing.
    lines = _DASH.sub("\n", marked).split("\n")
    return [words for line in lines if (words := lookalike.words(line)[:_MAX_WORDS])]


def _is_made_of(words: Sequence[str], offices: frozenset[str]) -> bool:
    """Whether the words spell offices, at least one, and what stands beside them."""
    # Whether the first so many words can be read so, without and with an office.
    without, having = {0}, set[int]()
    for end in range(1, len(words) + 1):
        for start in range(max(0, end - _MAX_SPELT), end):
            spelt = lookalike.skeleton("".join(words[start:end]))
            if spelt in offices or _is_compound(spelt, offices):
                having |= {end} if start in without | having else set()
            elif spelt in _BESIDE_WORDS:
                without |= {end} if start in without else set()
                having |= {end} if start in having else set()
    return len(words) in having


def _is_compound(word: str, offices: frozenset[str]) -> bool:
    """Whether an office and another word are written as one: "PosternSupport"."""
    return any(
        (word.startswith(office) and word[len(office) :] in _BESIDE_WORDS | offices)
        or (word.endswith(office) and word[: -len(office)] in _BESIDE_WORDS)
        for office in offices
    )


def _names_service(words: Sequence[str], own: str) -> bool:
    """Whether the community's name stands among others' words as their office or place."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + _MAX_SPELT, len(words)) + 1):
            spelt = lookalike.skeleton("".join(words[start:end]))
            if spelt != own and not _is_compound(spelt, frozenset([own])):
                continue
            is_followed = end < len(words) and (
                words[end] in _OFFICE_WORDS | _BESIDE_WORDS
            )
            is_place = start > 0 and words[start - 1] in _BEFORE_WORDS
            if is_followed or spelt != own or (is_place and end == len(words)):
                return True
    return False
