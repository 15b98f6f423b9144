"""Counts the sessions with next hops, and sends the reports of them (RFC 8460 §4, §5).

Each finished day of UTC is reported to every domain that asks for it. The mail of a report
has a fingerprint and each address a row, so that nothing is sent twice, whatever is killed.
What cannot be sent is tried again each hour until its sessions are purged.
"""

from __future__ import annotations

import hashlib
import logging
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPException
from urllib.parse import urlsplit

from django.conf import settings

from engine.database import clock
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.mail.message import split
from engine.network import dns
from engine.network.dns import DnsUnavailable
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Source
from engine.queue.notifications import notice_routing
from engine.registry.errors import PolicyError
from engine.routing import routes
from engine.storage import content
from engine.tls_reports import outgoing
from engine.tls_reports.models import SentReport, Session
from engine.tls_reports.outgoing import OutgoingReport
from engine.transport.pinned_http import PinnedConnection, target
from engine.transport.tls_attempts import TlsAttempt

log = logging.getLogger(__name__)

# Days whose reports are still sent: RFC 8460 §5.5 has senders give up after 24 hours.
DAYS = 2
# Minutes after midnight within which reports begin, so that not all arrive at once (§4).
SPREAD = 240
# Seconds of one run, and of one request; what is left is for the next hour.
SECONDS, SECONDS_A_POST = 240, 20.0


def count(attempts: Iterable[TlsAttempt], now: datetime) -> None:
    """Notes sessions that were tried, in the transaction of what came of them."""
    Session.objects.bulk_create(
        Session(
            at=now,
            policy_type=one.policy_type,
            policy_domain=one.policy_domain[:255].lower(),
            policy=list(one.policy),
            host=one.host[:255],
            result=one.result,
        )
        for one in attempts
    )


def send_due() -> int:
    """Sends the reports that are due and not sent; returns how many."""
    until = time.monotonic() + SECONDS
    sent = 0
    for domain, day in _due(clock.now()):
        if time.monotonic() > until:
            break
        sent += _send(domain, day)
    return sent


def _due(now: datetime) -> Iterator[tuple[str, date]]:
    today = now.astimezone(UTC).date()
    for ago in range(1, DAYS + 1):
        day = today - timedelta(days=ago)
        first, last = outgoing.period(day)
        found = Session.objects.filter(
            at__gte=first, at__lt=last + timedelta(seconds=1)
        )
        done = SentReport.objects.filter(day=day, address="")
        domains = found.order_by().values_list("policy_domain", flat=True).distinct()
        finished = set(done.values_list("policy_domain", flat=True))
        for domain in sorted({*domains} - finished):
            if now >= last + timedelta(
                minutes=1 + zlib.crc32(domain.encode()) % SPREAD
            ):
                yield domain, day


def _send(domain: str, day: date) -> int:
    """Sends one report to each address that asks for it; returns to how many."""
    try:
        wanted = outgoing.addresses(dns.txt(f"_smtp._tls.{domain}"))
    except DnsUnavailable as error:
        log.info("no TLS report to %s yet: %s", domain, error)
        return 0
    rows = SentReport.objects.filter(policy_domain=domain, day=day)
    before = set(rows.values_list("address", flat=True))
    left = [uri for uri in wanted if uri not in before]
    sent = _send_to_each(left, outgoing.report_of(domain, day)) if left else 0
    if sent == len(left):
        _note(domain, day, "")
    return sent


def _send_to_each(uris: Sequence[str], report: OutgoingReport) -> int:
    sent = 0
    for uri in uris:
        try:
            _send_to(uri, report)
        except (
            MailError,
            PolicyError,
            DnsUnavailable,
            OSError,
            HTTPException,
        ) as error:
            log.warning("no TLS report about %s to %s: %s", report.domain, uri, error)
        else:
            _note(report.domain, report.day, uri)
            sent += 1
    return sent


def _note(domain: str, day: date, uri: str) -> None:
    SentReport.objects.get_or_create(
        policy_domain=domain, day=day, address=uri, defaults={"made_at": clock.now()}
    )


def _send_to(uri: str, report: OutgoingReport) -> None:
    address = outgoing.mail_address(uri)
    if address is None:
        _post(uri, report)
    else:
        _mail(address, report)


def _mail(to: Address, report: OutgoingReport) -> None:
    # By the smart host where there is one: TLS with the domain's own server, which every
    # other way out requires, may be what the report is about.
    recipient, destination = notice_routing.route_notice(
        routes.current(), to, is_everyday=bool(settings.POSTERN.smarthost)
    )
    commit.commit_messages(
        [
            AcceptedMessage(
                # The null sender, so that an undeliverable report triggers no DSN.
                envelope=Envelope.simple(None, recipient),
                destinations=(destination,),
                kept=content.keep(*split(report.message(to))),
                source=Source.SYSTEM,
                fingerprint=_fingerprint(report, to),
            )
        ]
    )


def _fingerprint(report: OutgoingReport, to: Address) -> str:
    text = f"TLS report {report.report_id} {to.key}"
    return hashlib.sha256(text.encode()).hexdigest()


def _post(url: str, report: OutgoingReport) -> None:
    """Posts the report (§5.4). No redirect is followed.

    Raises PolicyError for an address that we may not dial, DnsUnavailable, OSError and
    HTTPException; the last for a server that does not take it, too.
    """
    parts = urlsplit(url)
    connection = PinnedConnection(parts, seconds=SECONDS_A_POST)
    try:
        headers = {"Content-Type": outgoing.CONTENT_TYPE}
        connection.request("POST", target(parts), report.packed, headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise HTTPException(f"the server answered {status}")
