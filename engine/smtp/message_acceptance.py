"""Accepts a complete message: checks, scans, rewrites and commits it, then says 250."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from django.db import connection

from engine.antivirus.attachments import policy as attachment_policy
from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.scanners.interface import Scan, Scanner
from engine.antivirus.verdict import Verdict
from engine.blobs import threads
from engine.mail import smtp_replies
from engine.mail.dkim.verification import Result
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.mime import part_walker
from engine.mail.mime.part_walker import Entity
from engine.mail.reading import attachments
from engine.mail.smtp_replies import Reply
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.enqueue.group_commit import GroupCommitter
from engine.queue.models import Source
from engine.queue.notifications import infection_alerts
from engine.queue.sending_rates import rate_limits
from engine.registry.connections.cloud_providers import without_tenant
from engine.routing import policies
from engine.routing.routes import Routes
from engine.smtp import (
    authentication_results,
    sender_authentication,
    unproven_mail,
)
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.listener_policy import ListenerPolicy
from engine.smtp.mail_transaction import MailTransaction
from engine.smtp.sender_authentication import Proofs
from engine.smtp.session_binding import Binding, Peer
from engine.smtp.spool import Spool
from engine.smtp.unproven_mail import Arrival
from engine.storage.content import KeptContent

log = logging.getLogger(__name__)

# Received fields. RFC 5321 §6.3: at least 100.
HOP_LIMIT = 100
# Large messages that may wait for the scanner at once: it may hang for a minute, and each
# keeps what was unpacked of it. Ten at once, with their bodies in memory, took 390 MB.
LARGE_AT_ONCE = 4
_large = asyncio.Semaphore(LARGE_AT_ONCE)
# One thread: the C library keeps, for each thread, some of the memory of the largest
# message that it has unpacked.
_unpacker = ThreadPoolExecutor(1, thread_name_prefix="unpack")


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A complete message, not yet accepted, and all that is known of its origin."""

    policy: ListenerPolicy
    binding: Binding
    peer: Peer
    helo: str
    server_name: str
    transaction: MailTransaction
    spool: Spool
    scanner: Scanner
    scan: Scan


async def accept_message(
    message: ReceivedMessage, routes: Routes, committer: GroupCommitter
) -> Reply:
    """Accepts a message and returns the 250, once it is on the disk.

    Raises MailError with the reason where it is refused; then nothing was committed.
    """
    transaction, spool = message.transaction, message.spool
    spool.finish()
    header = HeaderBlock.parse(spool.header)
    header.check_can_grow()
    _check_hops(header)
    fingerprint = _fingerprint(message, header)
    # Before anything in the header changes: rewriting breaks the signatures.
    arrival = Arrival(message.policy, message.peer, message.helo, message.server_name)
    header, proofs = await arrival.prove(routes, transaction, spool.signed, header)
    message = _with_confirmed_binding(message, routes, header, proofs.signatures)
    hold = unproven_mail.hold_of(routes, message.binding, proofs)
    # Again after MAIL: for a cloud provider's servers, only the message shows its sender.
    rate_limits.check_sender(
        routes,
        message.binding.senders,
        messages=1,
        recipients=len(transaction.recipients),
    )
    header = message.policy.check_header(
        routes, message.binding, transaction.sender, header
    )
    if transaction.is_for_lists_only:
        # Otherwise the queue refuses it, for the lists among its recipients alone.
        policies.check_can_send_on(header, sender=transaction.sender)
    verdict = await message_scan.verdict_of(message.scan)
    if verdict.is_infected:
        await asyncio.to_thread(_refuse_infected, message, verdict)
    unscanned, has_attachments = await _examine(message, verdict)
    header = _with_trace_fields(header, message, proofs)
    header = attachment_policy.marked(header, unscanned)
    incoming = _incoming(
        message,
        await _keep(spool, header.to_bytes(), has_attachments=has_attachments),
        fingerprint,
        {**_facts(message, verdict, unscanned), **sender_authentication.facts(proofs)},
        hold,
    )
    return smtp_replies.accepted(await committer.commit(incoming))


def _check_hops(header: HeaderBlock) -> None:
    """Refuses a message that loops between servers (RFC 5321 §6.3)."""
    if len(header.all("Received")) > HOP_LIMIT:
        raise PermanentFailure(smtp_replies.LOOP)


def _incoming(
    message: ReceivedMessage,
    kept: KeptContent,
    fingerprint: str,
    detail: dict[str, Any],
    hold: str,
) -> AcceptedMessage:
    transaction, binding = message.transaction, message.binding
    return AcceptedMessage(
        envelope=transaction.envelope(),
        destinations=tuple(route.destination for route in transaction.routes),
        kept=kept,
        source=message.policy.source,
        organisation_id=binding.organisation_id,
        person_id=binding.person_id,
        connection_id=binding.connection_id,
        fingerprint=fingerprint,
        reference=transaction.reference,
        detail=detail,
        hold=hold,
    )


def _with_confirmed_binding(
    message: ReceivedMessage,
    routes: Routes,
    header: HeaderBlock,
    signatures: list[Result],
) -> ReceivedMessage:
    evidence = Evidence(message.transaction.sender, header, signatures)
    binding = message.policy.confirm_binding(routes, message.binding, evidence)
    # For the trace: what is refused from here on is the refusal of that organisation.
    message.transaction.confirmed_as = binding
    return replace(message, binding=binding)


async def _keep(spool: Spool, header: bytes, *, has_attachments: bool) -> KeptContent:
    """Makes the content durable; a file is flushed to the disk in a thread."""
    if spool.is_small:
        kept = spool.keep(header)
    else:
        kept = await threads.run(spool.keep, header)
    return replace(kept, has_attachments=has_attachments)


async def _examine(
    message: ReceivedMessage, verdict: Verdict
) -> tuple[list[str], bool]:
    """Refuses forbidden attachments, and infected messages inside others.

    Returns the names of what cannot be scanned and is allowed all the same, and whether
    a reader is offered attachments. Small messages with parts that are quick to judge are
    examined on the event loop, where a thread would cost more than the work.
    """
    spool = message.spool
    if spool.is_small:
        tree = part_walker.strict_tree(spool.header, spool.read_body())
        if all(map(attachment_policy.is_quick, tree.parts())):
            examined, has_attachments = _check(tree)
        else:
            examined, has_attachments = await asyncio.to_thread(_check, tree)
        return await _scan_inside(message, examined, verdict), has_attachments
    async with _large:
        loop = asyncio.get_running_loop()
        examined, has_attachments = await loop.run_in_executor(
            _unpacker, _check_spooled, spool
        )
        return await _scan_inside(message, examined, verdict), has_attachments


def _check_spooled(spool: Spool) -> tuple[attachment_policy.Examined, bool]:
    """Checks all parts of a large message, and keeps nothing of its body in memory."""
    body = spool.read_body()
    examined, has_attachments = _check(part_walker.strict_tree(spool.header, body))
    source = spool.body_source()
    inner = [one.in_spool(body, source) for one in examined.inner]
    return replace(examined, inner=inner), has_attachments


def _check(tree: Entity) -> tuple[attachment_policy.Examined, bool]:
    unopened = coverage_proof.held()
    examined = attachment_policy.check_can_carry(tree.parts(), unopened=unopened)
    return examined, attachments.offers_files(tree)


async def _scan_inside(
    message: ReceivedMessage, examined: attachment_policy.Examined, verdict: Verdict
) -> list[str]:
    """Scans attached messages by themselves: a scanner opens only what it recognises."""
    verdict = await message_scan.scan_inner_with(
        message.scanner, examined.inner, verdict
    )
    if verdict.is_infected:
        await asyncio.to_thread(_refuse_infected, message, verdict)
    return attachment_policy.unscanned(examined, verdict)


def _refuse_infected(message: ReceivedMessage, verdict: Verdict) -> None:
    """Quarantines a copy, notifies those concerned, and raises PermanentFailure."""
    try:
        infection_alerts.refuse_infected(
            message.spool.read(),
            reference=message.transaction.reference,
            envelope=message.transaction.envelope(),
            verdict=verdict,
            organisation_id=message.binding.organisation_id,
        )
    finally:
        # asyncio.to_thread() uses the loop's own threads, whose database connections
        # nothing else would close.
        connection.close()


def _with_trace_fields(
    header: HeaderBlock,
    message: ReceivedMessage,
    proofs: Proofs,
) -> HeaderBlock:
    """Adds our trace fields (RFC 5321 §4.4) and removes those that only we may write."""
    name = message.server_name
    header = without_tenant(header).without("Return-Path")
    # RFC 3848: the protocol's name says whether TLS and AUTH were used.
    protocol = "ESMTPSA" if message.binding.is_signed_in else "ESMTPS"
    helo = "".join(c for c in message.helo if c.isalnum() or c in ".-:[]")[:255]
    header = header.prepended(
        "Received",
        f"from {helo} ([{message.peer.address}]) by {name} with {protocol}"
        f" id {message.transaction.reference} (using {message.peer.tls}); {_date(int(time.time()))}",
    )
    if message.policy.source is not Source.RECEIVE:
        return header
    return authentication_results.add_results(header, name, proofs)


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    """Returns the date and time of RFC 5322 §3.3, once for all messages of a second."""
    return formatdate(seconds, localtime=True)


def _fingerprint(message: ReceivedMessage, header: HeaderBlock) -> str:
    """Returns what a resend is recognised by; empty where the client gave no Message-ID.

    Two messages without one (RFC 5322 §3.6.4) may be alike and both be meant.
    """
    if header.get("Message-ID") is None:
        return ""
    envelope = message.transaction.envelope()
    recipients = sorted(recipient.address.key for recipient in envelope.recipients)
    # Who hears that a next hop lacks REQUIRETLS sends the same again without it.
    required = ["REQUIRETLS"] if envelope.requires_tls else []
    return message.spool.fingerprint(str(envelope.sender or ""), *recipients, *required)


def _facts(
    message: ReceivedMessage, verdict: Verdict, unscanned: list[str]
) -> dict[str, Any]:
    """Returns what the trace records of the message's arrival."""
    return {
        "peer": str(message.peer.address),
        "tls": message.peer.tls,
        "how": message.binding.proved_by,
        "connection_id": message.binding.connection_id,
        "scanner": verdict.scanner,
        **({"unscanned": unscanned} if unscanned else {}),
    }
