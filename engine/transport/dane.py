"""DANE for SMTP (RFC 7672): what the next hop's own DNS says about its certificate.

DANE applies to the host that a connection, or POSTERN_SMARTHOST, names as its next hop: the
records are those of `_PORT._tcp.HOST`. Next hops are configured and never found by MX
records, so that no MX answer needs to be proved. Four decisions:

- Without POSTERN_VALIDATING_RESOLVER there is no DANE, and the certificate is verified as
  for every next hop: by an authority that we trust, for the host's name.
- A connection that names another host in its certificate (its own pin), or whose next hop is
  an IP address, is verified by that pin alone, as it was: its owner decided.
- Where there are usable records they replace the authorities (RFC 7672 §3.1): the owner of
  the zone can have any certificate issued, so authorities add nothing to them. Records that
  are proved and unusable change nothing: the authorities decide, as without any.
- An answer that cannot be proved or does not come defers the mail. Otherwise an attacker who
  suppresses an answer could switch DANE off (RFC 7672 §2.1.1).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from engine.network import dnssec
from engine.transport.next_hop import Hop

TRUST_ANCHOR, END_ENTITY = 2, 3  # certificate usages (RFC 7218)
# Octets of the data by matching type: whole, SHA-256, SHA-512 (RFC 6698 §2.1.3).
_LENGTHS = {0: None, 1: 32, 2: 64}
# A host has a handful. More are not looked at.
MAX_RECORDS = 50


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """A TLSA record: how a host pins its certificate (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()}"

    @property
    def is_usable(self) -> bool:
        """Whether SMTP takes it: not usages 0 and 1 (RFC 7672 §3.1.3), nor unknown ones."""
        if self.usage not in (TRUST_ANCHOR, END_ENTITY) or self.selector not in (0, 1):
            return False
        if self.matching not in _LENGTHS:
            return False
        length = _LENGTHS[self.matching]
        return len(self.data) == length if length else bool(self.data)


@dataclass(frozen=True, slots=True)
class DanePolicy:
    """The usable records of a next hop.

    `base` is the name they were found at, which is sent as the server's name; `names` are
    those of which the certificate must have one where a record names its authority.
    """

    base: str
    names: tuple[str, ...]
    records: tuple[TlsaRecord, ...]


async def find(hop: Hop) -> DanePolicy | None:
    """Returns the next hop's policy, None where it has none. Raises DnsUnavailable."""
    if not dnssec.is_configured() or not _may_have_records(hop):
        return None
    for base in await _base_names(hop.host.lower().rstrip(".")):
        answer = await dnssec.look_up(f"_{hop.port}._tcp.{base}", "TLSA")
        if answer.is_secure and answer.records:
            usable = _usable(answer.records)
            names = tuple(dict.fromkeys([base, hop.host.lower().rstrip(".")]))
            return DanePolicy(base, names, usable) if usable else None
    return None


def _may_have_records(hop: Hop) -> bool:
    if hop.tls_name.casefold().rstrip(".") != hop.host.casefold().rstrip("."):
        return False
    try:
        ip_address(hop.host)
    except ValueError:
        return True
    return False


async def _base_names(host: str) -> list[str]:
    """Returns the names at which to look for records, the first that has some counts.

    None for a host whose address is not signed: RFC 7672 §2.2.2 asks for no TLSA records
    then, because servers of such zones often answer wrongly. Of an alias the name at its
    end comes first (§2.2.3), and the alias alone where only that is signed.
    """
    addresses = [await dnssec.look_up(host, kind) for kind in ("A", "AAAA")]
    secure = [answer for answer in addresses if answer.is_secure]
    if secure:
        found = [answer for answer in secure if answer.records] or secure
        return list(dict.fromkeys([found[0].canonical, host]))
    if all(answer.canonical == host for answer in addresses):
        return []
    alias = await dnssec.look_up(host, "CNAME")
    return [host] if alias.is_secure and alias.records else []


def _usable(found: tuple[Any, ...]) -> tuple[TlsaRecord, ...]:
    """Returns the usable records, of each kind the strongest hash (RFC 7671 §9)."""
    records = [
        TlsaRecord(one.usage, one.selector, one.mtype, bytes(one.cert))
        for one in found[:MAX_RECORDS]
    ]
    usable = [record for record in records if record.is_usable]
    strongest: defaultdict[tuple[int, int], int] = defaultdict(int)
    for record in usable:
        kind = record.usage, record.selector
        strongest[kind] = max(strongest[kind], record.matching)
    return tuple(
        record
        for record in usable
        if record.matching in (0, strongest[record.usage, record.selector])
    )
