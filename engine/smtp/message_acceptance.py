"""From the closing dot to 250: checked, scanned, rewritten and committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any

from django.conf import settings
from django.db import connection

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.scanners.interface import Scan, Scanner
from engine.antivirus.verdict import Verdict
from engine.mail import smtp_replies
from engine.mail.dkim.verification import Result
from engine.mail.header import HeaderBlock
from engine.mail.mime.parts import Part, walk
from engine.mail.smtp_replies import Reply
from engine.queue.enqueue.accepted_message import Incoming
from engine.queue.enqueue.group_commit import Committer
from engine.queue.models import Source
from engine.queue.notifications import infection_alerts
from engine.queue.sending_rates import rate_limits
from engine.registry.connections.cloud_providers import without_tenant
from engine.routing.routes import Routes
from engine.smtp import authentication_results, checks
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.listener_policy import Door
from engine.smtp.mail_transaction import Transaction
from engine.smtp.session_binding import Binding, Peer
from engine.smtp.spool import Spool
from engine.storage.content import KeptContent

log = logging.getLogger(__name__)

# Large messages are read into memory whole, one at a time. So many wait for the scanner,
# which may hang, with what was unpacked of them; the rest is read from the spool.
LARGE_AT_ONCE = 4
_large = asyncio.Semaphore(LARGE_AT_ONCE)
# In one thread: each that has had such a message in memory keeps some of that for itself.
_unpacker = ThreadPoolExecutor(1, thread_name_prefix="unpack")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A whole message, not yet accepted, and all that is known of it."""

    door: Door
    binding: Binding
    peer: Peer
    helo: str
    server_name: str
    transaction: Transaction
    spool: Spool
    scanner: Scanner
    scan: Scan


async def accept_arrival(
    arrival: Arrival, routes: Routes, committer: Committer
) -> Reply:
    """Accept a message, or raise MailError with the reason. Nothing is half done."""
    transaction, spool = arrival.transaction, arrival.spool
    spool.finish()
    header = HeaderBlock.parse(spool.header)
    header.check_can_grow()
    checks.hops(header)
    signatures = await spool.signed.results(header)
    arrival = _confirmed(arrival, routes, header, signatures)
    # Whose it is, a cloud provider's servers show with the message only.
    rate_limits.check_sender(
        routes,
        arrival.binding.senders,
        messages=1,
        recipients=len(transaction.recipients),
    )
    header = arrival.door.check_header(
        routes, arrival.binding, transaction.sender, header
    )
    verdict = await message_scan.verdict_of(arrival.scan)
    if verdict.is_infected:
        await asyncio.to_thread(_refuse_infected, arrival, verdict)
    unscanned = await _examine(arrival, verdict)
    header = _stamped(header, arrival, transaction.reference, signatures)
    header = policy.marked(header, unscanned)
    incoming = _incoming(
        arrival,
        header,
        await _keep(spool, header.to_bytes()),
        _facts(arrival, verdict, unscanned),
    )
    return smtp_replies.accepted(await committer.commit(incoming))


def _incoming(
    arrival: Arrival, header: HeaderBlock, kept: KeptContent, detail: dict[str, Any]
) -> Incoming:
    transaction, binding = arrival.transaction, arrival.binding
    return Incoming(
        envelope=transaction.envelope(),
        destinations=tuple(route.destination for route in transaction.routes),
        kept=kept,
        source=arrival.door.source,
        organisation_id=binding.organisation_id,
        person_id=binding.person_id,
        connection_id=binding.connection_id,
        fingerprint=_fingerprint(arrival, header),
        reference=transaction.reference,
        detail=detail,
    )


def _confirmed(
    arrival: Arrival, routes: Routes, header: HeaderBlock, signatures: list[Result]
) -> Arrival:
    evidence = Evidence(arrival.transaction.sender, header, signatures)
    binding = arrival.door.confirm(routes, arrival.binding, evidence)
    return replace(arrival, binding=binding)


async def _keep(spool: Spool, header: bytes) -> KeptContent:
    if spool.is_small:
        return spool.keep(header)
    return await asyncio.to_thread(spool.keep, header)


async def _examine(arrival: Arrival, verdict: Verdict) -> list[str]:
    """Refuse attachments that may not travel, and messages inside that are infected.

    Returns what nobody can look into and may travel all the same.
    """
    spool = arrival.spool
    if spool.is_small:
        parts = _quick_parts(spool)
        if parts is None:
            examined = await asyncio.to_thread(_check_all, spool)
        else:
            examined = _check(parts)
        return await _scan_inside(arrival, examined, verdict)
    async with _large:
        loop = asyncio.get_running_loop()
        examined = await loop.run_in_executor(_unpacker, _check_spooled, spool)
        return await _scan_inside(arrival, examined, verdict)


def _quick_parts(spool: Spool) -> list[Part] | None:
    """The parts, where all are quick to judge; what comes behind others is not read."""
    parts = []
    for part in walk(spool.header, spool.read_body(), strict=True):
        if not policy.is_quick(part):
            return None
        parts.append(part)
    return parts


def _check_all(spool: Spool) -> policy.Examined:
    return _check(walk(spool.header, spool.read_body(), strict=True))


def _check_spooled(spool: Spool) -> policy.Examined:
    """The same, and nothing of the body is kept in memory."""
    body = spool.read_body()
    examined = _check(walk(spool.header, body, strict=True))
    octets = spool.body_octets()
    return replace(
        examined, inner=[one.in_spool(body, octets) for one in examined.inner]
    )


def _check(parts: Iterable[Part]) -> policy.Examined:
    return policy.check_can_carry(parts, unopened=coverage_proof.held())


async def _scan_inside(
    arrival: Arrival, examined: policy.Examined, verdict: Verdict
) -> list[str]:
    verdict = await message_scan.scan_inner_with(
        arrival.scanner, examined.inner, verdict
    )
    if verdict.is_infected:
        await asyncio.to_thread(_refuse_infected, arrival, verdict)
    return policy.unscanned(examined, verdict)


def _refuse_infected(arrival: Arrival, verdict: Verdict) -> None:
    try:
        infection_alerts.refuse(
            arrival.spool.read(),
            reference=arrival.transaction.reference,
            envelope=arrival.transaction.envelope(),
            verdict=verdict,
            organisation_id=arrival.binding.organisation_id,
        )
    finally:
        # This is a thread of the loop's own, which keeps no database connection.
        connection.close()


def _stamped(
    header: HeaderBlock, arrival: Arrival, reference: str, signatures: list[Result]
) -> HeaderBlock:
    """Add our trace field (RFC 5321 §4.4); drop what only we or a provider may say."""
    name = arrival.server_name
    header = without_tenant(header).without("Return-Path")
    header = authentication_results.without_forged(
        header, name, settings.POSTERN.community_domain
    )
    protocol = "ESMTPSA" if arrival.binding.is_signed_in else "ESMTPS"
    helo = "".join(c for c in arrival.helo if c.isalnum() or c in ".-:[]")[:255]
    header = header.prepended(
        "Received",
        f"from {helo} ([{arrival.peer.address}]) by {name} with {protocol}"
        f" id {reference} (using {arrival.peer.tls}); {formatdate(localtime=True)}",
    )
    if arrival.door.source is not Source.RECEIVE:
        return header
    return authentication_results.recorded(header, name, signatures)


def _fingerprint(arrival: Arrival, header: HeaderBlock) -> str:
    """Only a message that names itself can be known again (RFC 5322 §3.6.4)."""
    if header.get("Message-ID") is None:
        return ""
    envelope = arrival.transaction.envelope()
    recipients = sorted(recipient.address.key for recipient in envelope.recipients)
    return arrival.spool.fingerprint(str(envelope.sender or ""), *recipients)


def _facts(arrival: Arrival, verdict: Verdict, unscanned: list[str]) -> dict[str, Any]:
    return {
        "peer": str(arrival.peer.address),
        "tls": arrival.peer.tls,
        "how": arrival.binding.how,
        "connection_id": arrival.binding.connection_id,
        "scanner": verdict.scanner,
        **({"unscanned": unscanned} if unscanned else {}),
    }
