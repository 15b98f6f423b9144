"""Parses SPF records (RFC 7208 §4.5, §4.6, §5 and §6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from engine.mail.authentication import spf_macros
from engine.mail.authentication.spf_macros import SpfSyntaxError

# Characters, and terms: two DNS answers of the largest size that UDP carries. Each term
# is parsed before the first is evaluated (§4.6).
MAX_LENGTH, MAX_TERMS = 8_192, 500

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_MECHANISM = re.compile(r"([+?~-]?)([A-Za-z0-9]+)([:/].*)?", re.DOTALL)
# §5.6: no leading zeros.
_PREFIXES = re.compile(
    r"(.*?)(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?", re.DOTALL
)
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+(?:/(?:0|[1-9][0-9]{0,2}))?")


class Spf(StrEnum):
    """The results of an evaluation (RFC 7208 §2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_QUALIFIERS = {
    "": Spf.PASS,
    "+": Spf.PASS,
    "-": Spf.FAIL,
    "~": Spf.SOFTFAIL,
    "?": Spf.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Directive:
    """A mechanism, and the result where it matches.

    `domain` may hold macros, and is empty for the domain that is evaluated. `prefixes`
    are the lengths of IPv4 and IPv6 networks around an address.
    """

    result: Spf
    mechanism: str
    domain: str = ""
    prefixes: tuple[int, int] = (32, 128)
    network: IPv4Network | IPv6Network | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An SPF record. `redirect` is a domain that may hold macros; empty without one."""

    directives: tuple[Directive, ...]
    redirect: str


def select(texts: Iterable[str]) -> list[str]:
    """Returns those of a name's TXT records that are SPF records (§4.5)."""
    return [text for text in texts if _VERSION.match(text)]


@lru_cache(maxsize=2048)  # the records of the same members, message after message
def parse(text: str) -> Record:
    """Returns the record. Raises SpfSyntaxError for any error in it (§4.6)."""
    if not _VERSION.match(text) or len(text) > MAX_LENGTH:
        raise SpfSyntaxError("not an SPF record")
    terms = [term for term in text.split(" ")[1:] if term]
    if len(terms) > MAX_TERMS:
        raise SpfSyntaxError("too many terms")
    directives, modifiers = [], dict[str, str]()
    for term in terms:
        found = _MODIFIER.fullmatch(term)
        if found is None:
            directives.append(_directive(term))
            continue
        name = found[1].lower()
        if name in ("redirect", "exp"):
            # §6: each at most once.
            if name in modifiers:
                raise SpfSyntaxError(f"{name} twice")
            modifiers[name] = spf_macros.domain_spec(found[2])
        else:
            spf_macros.check_string(found[2])
    return Record(tuple(directives), modifiers.get("redirect", ""))


def _directive(term: str) -> Directive:
    found = _MECHANISM.fullmatch(term)
    if found is None:
        raise SpfSyntaxError("not a mechanism")
    result, name, rest = _QUALIFIERS[found[1]], found[2].lower(), found[3] or ""
    match name:
        case "all":
            if rest:
                raise SpfSyntaxError("all takes nothing")
            return Directive(result, name)
        case "include" | "exists":
            return Directive(result, name, spf_macros.domain_spec(_after_colon(rest)))
        case "a" | "mx":
            return _with_prefixes(result, name, rest)
        case "ptr":
            domain = spf_macros.domain_spec(_after_colon(rest)) if rest else ""
            return Directive(result, name, domain)
        case "ip4" | "ip6":
            return Directive(result, name, network=_network(name, _after_colon(rest)))
    raise SpfSyntaxError("unknown mechanism")


def _after_colon(rest: str) -> str:
    if not rest.startswith(":"):
        raise SpfSyntaxError("a value is missing")
    return rest[1:]


def _with_prefixes(result: Spf, name: str, rest: str) -> Directive:
    found = _PREFIXES.fullmatch(rest)
    if found is None:
        raise SpfSyntaxError("not a prefix")
    four, six = int(found[2] or 32), int(found[3] or 128)
    if four > 32 or six > 128:
        raise SpfSyntaxError("the prefix is too long")
    domain = spf_macros.domain_spec(_after_colon(found[1])) if found[1] else ""
    return Directive(result, name, domain, (four, six))


def _network(name: str, text: str) -> IPv4Network | IPv6Network:
    # ip_network() also takes netmasks, leading zeros and names of interfaces.
    if not _ADDRESS.fullmatch(text):
        raise SpfSyntaxError("not a network")
    try:
        found = ip_network(text, strict=False)
    except ValueError as error:
        raise SpfSyntaxError("not a network") from error
    if found.version != int(name[2]):
        raise SpfSyntaxError("a network of the other kind")
    return found
