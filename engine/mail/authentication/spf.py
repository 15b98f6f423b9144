"""Evaluates SPF: whether a server may send for a domain (RFC 7208 §4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from engine.mail.authentication import spf_macros, spf_record
from engine.mail.authentication.lookup import Lookup, LookupUnavailable
from engine.mail.authentication.spf_macros import Macros, SpfSyntaxError
from engine.mail.authentication.spf_record import Directive, Record, Spf

# §4.6.4: terms that need the DNS, and lookups that find nothing, for one evaluation.
MAX_LOOKUPS, MAX_VOID = 10, 2
# Of one mx or ptr: the hosts whose addresses are looked up.
MAX_HOSTS = 10

# §4.3: more than one label, none of them empty or too long.
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[^.\x00-\x20\x7f]{1,63}(?:\.[^.\x00-\x20\x7f]{1,63})+"
)


@dataclass(frozen=True, slots=True)
class SpfResult:
    """The result for one identity, and the reason where the record itself is at fault.

    `is_helo` says which identity was checked: the name in EHLO, or the envelope sender's
    domain.
    """

    outcome: Spf
    domain: str
    is_helo: bool = False
    reason: str = ""


class _Ended(Exception):
    """The evaluation ends with this result, whatever terms are left."""

    def __init__(self, outcome: Spf, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


async def check_host(
    lookup: Lookup,
    *,
    address: IPv4Address | IPv6Address,
    sender: str,
    helo: str,
) -> SpfResult:
    """Returns whether the server at `address` may send mail from `sender`.

    For the null sender the name in EHLO is checked (§2.4).
    """
    is_helo = not sender
    if is_helo:
        sender = f"postmaster@{helo}"
    local, _, domain = sender.rpartition("@")
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    macros = Macros(
        f"{local or 'postmaster'}@{domain}", domain, helo, mapped or address
    )
    evaluation = _Evaluation(lookup)
    try:
        outcome = await evaluation.of_domain(domain, macros)
    except _Ended as ended:
        return SpfResult(ended.outcome, domain, is_helo, ended.reason)
    return SpfResult(outcome, domain, is_helo)


class _Evaluation:
    """One evaluation, which counts its lookups through all records that it follows."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._lookups = self._voids = 0

    async def of_domain(self, domain: str, macros: Macros) -> Spf:
        """Evaluates the record of a domain (§4.4 to §4.7). Raises _Ended."""
        if not _DOMAIN.fullmatch(domain):
            return Spf.NONE
        texts = spf_record.select(await self._records(domain, "TXT"))
        if not texts:
            return Spf.NONE
        if len(texts) > 1:
            raise _Ended(Spf.PERMERROR, "more than one SPF record")
        try:
            record = spf_record.parse(texts[0])
        except SpfSyntaxError as error:
            raise _Ended(Spf.PERMERROR, str(error)) from error
        return await self._of_record(record, replace(macros, domain=domain))

    async def _of_record(self, record: Record, macros: Macros) -> Spf:
        for directive in record.directives:
            if await self._matches(directive, macros):
                return directive.result
        if record.redirect and all(d.mechanism != "all" for d in record.directives):
            self._count()
            domain = await self._expanded(record.redirect, macros)
            outcome = await self.of_domain(domain, macros)
            if outcome is Spf.NONE:
                raise _Ended(Spf.PERMERROR, "redirects to a domain without SPF")
            return outcome
        return Spf.NEUTRAL

    async def _matches(self, directive: Directive, macros: Macros) -> bool:
        if directive.mechanism == "all":
            return True
        if directive.network is not None:
            return macros.address in directive.network
        self._count()
        domain = macros.domain
        if directive.domain:
            domain = await self._expanded(directive.domain, macros)
        match directive.mechanism:
            case "include":
                return await self._includes(domain, macros)
            case "exists":
                return bool(await self._found(domain, "A"))
            case "ptr":
                return any(
                    name == domain.lower() or name.endswith(f".{domain.lower()}")
                    for name in await self._validated(macros)
                )
            case "mx":
                return await self._has_exchanger(domain, directive, macros)
        return await self._has_address(domain, directive, macros)

    async def _includes(self, domain: str, macros: Macros) -> bool:
        """Returns whether the included record passes (§5.2)."""
        outcome = await self.of_domain(domain, macros)
        if outcome is Spf.NONE:
            raise _Ended(Spf.PERMERROR, "includes a domain without SPF")
        return outcome is Spf.PASS

    async def _has_exchanger(
        self, domain: str, directive: Directive, macros: Macros
    ) -> bool:
        found = sorted(await self._found(domain, "MX"))
        hosts = [text.partition(" ")[2] for text in found]
        if len(hosts) > MAX_HOSTS:
            raise _Ended(Spf.PERMERROR, "too many mail exchangers")
        for host in hosts:
            if host and await self._has_address(host, directive, macros):
                return True
        return False

    async def _has_address(
        self, host: str, directive: Directive, macros: Macros
    ) -> bool:
        own = macros.address
        prefix = directive.prefixes[0 if own.version == 4 else 1]
        network = ip_network(f"{own}/{prefix}", strict=False)
        found = await self._found(host, "A" if own.version == 4 else "AAAA")
        return any(ip_address(text) in network for text in found)

    async def _validated(self, macros: Macros) -> list[str]:
        """Returns the client's names that lead back to its address (§5.5)."""
        own = macros.address
        kind = "A" if own.version == 4 else "AAAA"
        try:
            names = await self._found(own.reverse_pointer, "PTR")
        except _Ended as ended:
            # An error in a reverse zone is no error of the record's.
            if ended.outcome is Spf.PERMERROR:
                raise
            return []
        validated = []
        for name in names[:MAX_HOSTS]:
            try:
                found = await self._lookup(name, kind) or ()
            except LookupUnavailable:
                continue
            if str(own) in found:
                validated.append(name.rstrip(".").lower())
        return validated

    async def _expanded(self, text: str, macros: Macros) -> str:
        if spf_macros.needs_validated_name(text):
            self._count()
            names, own = await self._validated(macros), macros.domain.lower()
            below = [name for name in names if name.endswith(f".{own}")]
            best = [own] if own in names else [*below, *names, "unknown"]
            macros = replace(macros, validated=best[0])
        return spf_macros.expand(text, macros)

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise _Ended(Spf.PERMERROR, "too many lookups")

    async def _found(self, name: str, kind: str) -> tuple[str, ...]:
        """Returns the records, and counts where there are none (§4.6.4)."""
        found = await self._records(name, kind)
        if not found:
            self._voids += 1
            if self._voids > MAX_VOID:
                raise _Ended(Spf.PERMERROR, "too many lookups that find nothing")
        return found

    async def _records(self, name: str, kind: str) -> tuple[str, ...]:
        try:
            return await self._lookup(name, kind) or ()
        except LookupUnavailable as error:
            reason = "a name cannot be looked up at the moment"
            raise _Ended(Spf.TEMPERROR, reason) from error
