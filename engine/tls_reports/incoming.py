"""Takes reports that arrive by mail for the address that the DNS record names.

They come by a member's connection or a person's submission, like all mail, and so from an
organisation that is known: no signature has to prove it (RFC 8460 §3 asks for DKIM where
anybody can write).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from engine.mail.smtp_replies import Reply
from engine.signing.mail_keys import community_domain
from engine.tls_reports import report_format
from engine.tls_reports.models import Failure, Report
from engine.tls_reports.report_format import PolicyResult, ReportError, TlsReport

CONTENT_TYPES = frozenset({"application/tlsrpt+gzip", "application/tlsrpt+json"})
# Octets of a message that is read at all.
MOST_OCTETS = 8 * 1024 * 1024
# Reports of one organisation that are kept in a day: each server sends one.
MOST_A_DAY = 200
# How old, or how far ahead of our clock, a report's period may be.
OLDEST, AHEAD = timedelta(days=60), timedelta(days=2)

UNREADABLE = Reply(550, "5.6.0", "The TLS report cannot be read")


def take(
    raw: bytes, *, organisation_id: int, sender: str, now: datetime
) -> Report | None:
    """Keeps the report in a message, in the caller's transaction.

    Returns None for one that was kept before. Raises PermanentFailure, whose text says
    what is wrong with it.
    """
    try:
        report = report_format.read(_attached(raw))
        return _keep(report, organisation_id, sender, now)
    except ReportError as error:
        raise PermanentFailure(UNREADABLE.saying(f"TLS report: {error}")) from error


def check_size(octets: int) -> None:
    """Checks a message's size before it is read. Raises PermanentFailure."""
    if octets > MOST_OCTETS:
        raise PermanentFailure(UNREADABLE.saying("TLS report: it is too large"))


def _attached(raw: bytes) -> bytes:
    for part in walk(*split(raw)):
        if part.content_type in CONTENT_TYPES:
            return part.data()
    raise ReportError("no part of the type application/tlsrpt+gzip was found")


@transaction.atomic
def _keep(
    report: TlsReport, organisation_id: int, sender: str, now: datetime
) -> Report | None:
    if not now - OLDEST <= report.starts_at <= now + AHEAD:
        raise ReportError("date-range is too long ago, or has not come yet")
    ours = [one for one in report.policies if _is_ours(one.policy_domain)]
    if not ours:
        raise ReportError(f"it says nothing of {community_domain()}")
    from_them = Report.objects.filter(organisation_id=organisation_id)
    since = now - timedelta(days=1)
    if from_them.filter(received_at__gt=since).count() >= MOST_A_DAY:
        raise ReportError(f"your organisation has sent {MOST_A_DAY} in a day already")
    kept, is_new = Report.objects.get_or_create(
        organisation_id=organisation_id,
        reporter=report.reporter,
        report_id=report.report_id,
        defaults={
            "contact": report.contact,
            "starts_at": report.starts_at,
            "ends_at": report.ends_at,
            "received_at": now,
            "sender": sender,
            "successes": sum(one.successes for one in ours),
            "failures": sum(one.failures for one in ours),
        },
    )
    if not is_new:
        return None
    Failure.objects.bulk_create(_failures(kept, ours))
    return kept


def _failures(kept: Report, policies: list[PolicyResult]) -> list[Failure]:
    found = [
        Failure(
            report=kept,
            policy_domain=policy.policy_domain,
            policy_type=policy.policy_type,
            result_type=detail.result_type,
            sessions=detail.sessions,
            receiving_host=detail.receiving_host,
            sending_address=detail.sending_address,
            reason=detail.reason,
        )
        for policy in policies
        for detail in policy.details
    ]
    return found[: report_format.MOST_FAILURES]


def _is_ours(domain: str) -> bool:
    return domain == community_domain() or domain.endswith(f".{community_domain()}")
