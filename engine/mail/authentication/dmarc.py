"""Evaluates DMARC: whether a proved domain is the author's (RFC 9989).

Exact alignment is the rule here. Where members are councils, forces and hospitals, whole
sectors have domains below one name that is no public suffix, such as pnn.police.uk or
onmicrosoft.com: with relaxed alignment any of them could pass for any other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.authentication import dmarc_record
from engine.mail.authentication.dmarc_record import DmarcRecord, Request, Suffix
from engine.mail.authentication.lookup import Lookup, LookupUnavailable

# §4.10: names that one walk asks at most.
MAX_NAMES = 8


class Dmarc(StrEnum):
    """The results of an evaluation (RFC 8601 §2.7.6)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class DmarcResult:
    """The result for the author's domain, and what its owner asks to be done.

    `request` is NONE without a policy too.
    """

    outcome: Dmarc
    domain: str
    request: Request = Request.NONE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proved:
    """The domains that SPF and DKIM proved; `is_open` if one may be proved later."""

    spf: str = ""
    dkim: Collection[str] = ()
    is_open: bool = False


async def evaluate(
    lookup: Lookup, domain: str, proved: Proved, *, is_exact: bool
) -> DmarcResult:
    """Returns the result for the domain of the author.

    With `is_exact` the author's own domain must be proved, whatever its record says;
    else one of the same organisation is enough, unless its record asks for more.
    """
    try:
        walk = await _walk(lookup, domain, needs_organisation=not is_exact)
        # §4.10.1: the domain's own policy, else that of its organisation.
        record = walk.own or walk.policy
        if record is None:
            return DmarcResult(Dmarc.NONE, domain)
        request = await _request(lookup, domain, record, is_own=walk.own is not None)
        is_proved = domain == proved.spf or domain in proved.dkim
        if not is_proved and not is_exact:
            is_proved = await _is_related(lookup, walk, record, proved)
    except LookupUnavailable:
        reason = "the policy cannot be looked up at the moment"
        return DmarcResult(Dmarc.TEMPERROR, domain, reason=reason)
    if is_proved:
        return DmarcResult(Dmarc.PASS, domain, request)
    if proved.is_open:
        reason = "a name cannot be looked up at the moment"
        return DmarcResult(Dmarc.TEMPERROR, domain, request, reason)
    return DmarcResult(Dmarc.FAIL, domain, request)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What the records above a domain say.

    `own` is the domain's own policy, `policy` that of its organisation or, failing that,
    of the public suffix above it.
    """

    organisation: str
    own: DmarcRecord | None
    policy: DmarcRecord | None


async def _walk(
    lookup: Lookup, domain: str, *, needs_organisation: bool = True
) -> _Walk:
    """Walks up from a domain to that of its organisation (§4.10).

    Without need of it, the domain's own policy is enough.
    """
    found: list[tuple[str, DmarcRecord]] = []
    names = _names(domain)
    for name in names:
        record = dmarc_record.select(await lookup(f"_dmarc.{name}", "TXT") or ())
        if record is None:
            continue
        found.append((name, record))
        # A domain that starts the walk and is a suffix is its own organisation.
        is_enough = name == domain and not needs_organisation
        if record.suffix is not Suffix.UNKNOWN or is_enough:
            break
    own = found[0][1] if found and found[0][0] == domain else None
    if not found:
        return _Walk(domain, None, None)
    name, record = found[-1]
    if record.suffix is Suffix.YES and name != domain:
        # One label below the suffix (§4.10.2), which may have no policy of its own.
        labels = domain.split(".")
        organisation = ".".join(labels[-(name.count(".") + 2) :])
        policy = next((one for at, one in found if at == organisation), record)
        return _Walk(organisation, own, policy)
    return _Walk(name, own, record)


def _names(domain: str) -> list[str]:
    """Returns the domain and those above it that are asked, eight at most (§4.10)."""
    labels = domain.split(".")
    above = [".".join(labels[at:]) for at in range(1, len(labels))]
    return [domain, *above[-(MAX_NAMES - 1) :]]


async def _request(
    lookup: Lookup, domain: str, record: DmarcRecord, *, is_own: bool
) -> Request:
    if is_own:
        return record.own
    if record.nowhere is not record.below and await lookup(domain, "A") is None:
        return record.nowhere
    return record.below


async def _is_related(
    lookup: Lookup, walk: _Walk, record: DmarcRecord, proved: Proved
) -> bool:
    """Returns whether a proved domain has the author's organisation (§4.4)."""
    candidates = [] if record.is_spf_strict or not proved.spf else [proved.spf]
    if not record.is_dkim_strict:
        candidates += proved.dkim
    for candidate in candidates:
        # Cheaper than a walk: what does not end alike has another organisation.
        if f".{candidate}".endswith(f".{walk.organisation}"):
            other = await _walk(lookup, candidate)
            if other.organisation == walk.organisation:
                return True
    return False
