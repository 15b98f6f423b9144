"""Verifies what a message shows of its origin: SPF, DKIM, DMARC and ARC.

Before anything in the message is changed, for rewriting breaks signatures. All names are
looked up within a few seconds; what cannot be had by then is a temporary error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from django.conf import settings

from engine.mail.authentication import dmarc, spf
from engine.mail.authentication.arc import Arc, ArcChain, ArcResult
from engine.mail.authentication.dmarc import Dmarc, DmarcResult, Proved
from engine.mail.authentication.lookup import LookupUnavailable
from engine.mail.authentication.spf import SpfResult
from engine.mail.authentication.spf_record import Spf
from engine.mail.authors import author_domain
from engine.mail.dkim import verification
from engine.mail.dkim.canonical_forms import BodyDigests
from engine.mail.dkim.signature import Malformed, Signature, signatures
from engine.mail.dkim.verification import KeyUnavailable, Outcome, Result
from engine.mail.header import HeaderBlock
from engine.network.dns import DnsUnavailable
from engine.network.lookups import Lookups

# Signatures, and octets of header that each covers, that are verified on the event loop:
# one by RSA takes 50 µs, a thread for it about as long.
FEW, LARGE_HEADER = 4, 32 * 1024

NO_CHAIN = ArcResult(Arc.NONE)

_MARKS = (b"dkim-signature", b"arc-")


class SignedBody:
    """The signatures that a header announces, and the body hashes that they need.

    The hashes are computed while the body streams in, so that a large body is never
    read again.
    """

    def __init__(self, header: bytes) -> None:
        self.signatures: list[Signature | Malformed] = []
        self.chain = ArcChain()
        folded = header.lower()
        if any(mark in folded for mark in _MARKS):
            parsed = HeaderBlock.salvage(header)
            self.signatures = signatures(parsed)
            self.chain = ArcChain.read(parsed)
        newest = self.chain.newest
        signed = [*self.signatures, *([newest] if newest else [])]
        self._digests = BodyDigests(
            {one.body_form for one in signed if isinstance(one, Signature)}
        )

    def update(self, data: bytes) -> None:
        """Takes the next octets of the body."""
        self._digests.update(data)

    def key_names(self, now: float) -> list[str]:
        """Returns the names of the keys that are needed, once the body is complete."""
        found = self.signatures
        names = verification.key_names(found, body=self._digests, now=now)
        return [*names, *(name for name in self.chain.key_names if name not in names)]

    def is_costly(self, header: HeaderBlock) -> bool:
        """Returns whether verifying would hold up the event loop for milliseconds."""
        count = len(self.signatures) + len(self.chain.sets)
        if count <= 1:
            return False
        return count > FEW or sum(len(f.raw) for f in header.fields) > LARGE_HEADER

    def results(
        self, header: HeaderBlock, keys: Mapping[str, Sequence[str] | None], now: float
    ) -> tuple[list[Result], ArcResult]:
        """Verifies all signatures with the keys at these names; None is one that cannot
        be looked up now."""

        def texts(name: str) -> Sequence[str]:
            found = keys.get(name)
            if found is None:
                raise KeyUnavailable(name)
            return found

        given: dict[str, Any] = {"body": self._digests, "key_texts": texts, "now": now}
        verified = verification.verify(self.signatures, header=header, **given)
        return verified, self.chain.result(header, **given)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message says that it comes from. `sender` is in member form, and empty for
    the null sender."""

    address: IPv4Address | IPv6Address
    helo: str
    sender: str


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a message shows. Without `spf` and `dmarc`, neither was asked for."""

    signatures: list[Result] = field(default_factory=list)
    arc: ArcResult = NO_CHAIN
    spf: SpfResult | None = None
    dmarc: DmarcResult | None = None

    @property
    def has_failed(self) -> bool:
        """Whether DMARC fails, or the author's own signatures are all broken."""
        if self.dmarc is None:
            return False
        return self.dmarc.outcome is Dmarc.FAIL or bool(self.broken_signature)

    @property
    def broken_signature(self) -> Result | None:
        """A signature of the author's domain that is broken, if none is whole.

        One that is not accepted, such as over a part of the body, counts as none.
        """
        own = [
            r for r in self.signatures if self.dmarc and r.domain == self.dmarc.domain
        ]
        if any(result.outcome is Outcome.PASS for result in own):
            return None
        broken = (Outcome.FAIL, Outcome.PERMERROR)
        return next((result for result in own if result.outcome in broken), None)

    @property
    def is_open(self) -> bool:
        """Whether a later attempt may prove what is not proved now."""
        return self.dmarc is not None and self.dmarc.outcome is Dmarc.TEMPERROR


async def prove(signed: SignedBody, header: HeaderBlock, origin: Origin) -> Proofs:
    """Verifies all that a message shows of its origin."""
    lookups = Lookups()

    async def records(name: str, kind: str) -> tuple[str, ...] | None:
        try:
            return await lookups.records(name, kind)
        except DnsUnavailable as error:
            raise LookupUnavailable(str(error)) from error

    now = time.time()
    author, names = author_domain(header), signed.key_names(now)
    _look_ahead(lookups, names, origin, author)
    keys = {name: await _key(lookups, name) for name in names}
    if signed.is_costly(header):
        found, arc = await asyncio.to_thread(signed.results, header, keys, now)
    else:
        found, arc = signed.results(header, keys, now)
    by_server = await spf.check_host(
        records, address=origin.address, sender=origin.sender, helo=origin.helo
    )
    by_author = await _of_author(records, author, by_server, found)
    return Proofs(found, arc, by_server, by_author)


def _look_ahead(
    lookups: Lookups, keys: Sequence[str], origin: Origin, author: str
) -> None:
    """Asks for all that is known to be needed at once."""
    sender = origin.sender.rpartition("@")[2] or origin.helo
    if author:
        lookups.begin(f"_dmarc.{author}", "TXT")
    lookups.begin(sender, "TXT")
    for name in keys:
        lookups.begin(name, "TXT")


async def _key(lookups: Lookups, name: str) -> Sequence[str] | None:
    try:
        return await lookups.records(name, "TXT") or ()
    except DnsUnavailable:
        return None


async def _of_author(
    records: Any, author: str, by_server: SpfResult, found: Sequence[Result]
) -> DmarcResult:
    if not author:
        reason = "the message has not one author's domain"
        return DmarcResult(Dmarc.PERMERROR, "", reason=reason)
    proved = Proved(
        spf=by_server.domain.lower() if by_server.outcome is Spf.PASS else "",
        dkim=[one.domain for one in found if one.outcome is Outcome.PASS],
        is_open=by_server.outcome is Spf.TEMPERROR
        or any(one.outcome is Outcome.TEMPERROR for one in found),
    )
    is_exact = settings.POSTERN.dmarc_alignment == "exact"
    return await dmarc.evaluate(records, author, proved, is_exact=is_exact)


def facts(proofs: Proofs) -> dict[str, Any]:
    """Returns the results for the trace: for each method, result, domain and reason."""
    if proofs.spf is None or proofs.dmarc is None:
        return {}
    by_server, by_author, arc = proofs.spf, proofs.dmarc, proofs.arc
    rows = [["spf", by_server.outcome, by_server.domain, by_server.reason]]
    rows += [["dkim", s.outcome, s.domain, s.reason] for s in proofs.signatures]
    rows += [["dmarc", by_author.outcome, by_author.domain, by_author.reason]]
    if arc.outcome is not Arc.NONE:
        rows += [["arc", arc.outcome, "", arc.reason]]
    return {"proofs": [[str(part)[:200] for part in row] for row in rows]}
