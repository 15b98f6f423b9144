"""Checks of each part of the service, and its configuration, for the Health page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone

from engine.antivirus.attachments.refused_kinds_listing import listing
from engine.antivirus.models import ScannerProof
from engine.antivirus.scanners import coverage_proof
from engine.antivirus.scanners.message_scan import ScannerUnavailable, scan_bytes
from engine.database import clock
from engine.jobs import backlog
from engine.queue.models import Recipient, RecipientStatus
from portal.console.operations import tasks
from portal.console.page import Cell, Fact

RENEWAL_PERIOD = timedelta(days=21)  # before a certificate ends
PROOF_LIFETIME = timedelta(hours=2)  # scanners are tried every hour
WORKER_LATE = timedelta(hours=1)  # without a success while jobs are due
HARMLESS = b"Subject: Is the scanner there?\r\n\r\nYes.\r\n"


def renewal_deadline() -> datetime:
    """Certificates that end before this must be renewed."""
    return timezone.now() + RENEWAL_PERIOD


def parts() -> list[Fact]:
    """Returns the state of each part, alarming where an operator must act."""
    return [
        _database(),
        _scanner(),
        *_proofs(),
        _certificate(),
        _worker(),
        _queue(),
        _outside(),
    ]


def configuration() -> list[Fact]:
    """Returns what the environment sets, without any secret."""
    service = settings.POSTERN
    names = ", ".join(service.dns_servers) or "The system's own"
    return [
        ("Environment", Cell(service.env)),
        ("Community domain", Cell(service.community_domain)),
        ("Website", Cell(service.site_url)),
        ("Mail server", Cell(f"{service.smtp_name}, port {service.smtp_port}")),
        ("Name servers", Cell(names)),
        ("Largest message", Cell(filesizeformat(service.message_size_limit))),
        ("Attachments refused", _refused_kinds()),
        ("Engine processes", Cell(str(service.engine_processes))),
        ("Helpdesk", Cell(f"{service.helpdesk_address}, {service.helpdesk_phone}")),
    ]


def _refused_kinds() -> Cell:
    """How many kinds, and how the list differs from the default."""
    found = listing()
    count = sum(len(endings) for _, endings in found.groups) + len(found.added)
    more = f", besides the default {', '.join(found.added)}" if found.added else ""
    fewer = f", but not {', '.join(found.allowed)}" if found.allowed else ""
    active = "delivered with a warning" if found.warns else "refused"
    encrypted = "delivered with a mark" if found.carries_encrypted else "refused"
    return Cell(
        f"{count} kinds{more}{fewer}. Web pages and drawings are {active}, "
        f"encrypted files and messages {encrypted}",
        note=f"The full list: {settings.POSTERN.site_url}{reverse('attachments')}",
    )


def _database() -> Fact:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "Database", Cell(f"Answers ({connection.vendor})")


def _scanner() -> Fact:
    try:
        verdict = scan_bytes(HARMLESS)
    except ScannerUnavailable as error:
        return "Virus scanner", Cell(error.reply.text, is_alarming=True)
    is_fallback = not settings.POSTERN.clamd
    note = "Set POSTERN_CLAMD to the address of ClamAV." if is_fallback else ""
    state = f"Answers ({verdict.scanner})"
    return "Virus scanner", Cell(state, note=note, is_alarming=is_fallback)


def _proofs() -> Iterator[Fact]:
    """Which kinds of archive each scanner opened when it was last tried."""
    known = {one.scanner: one for one in coverage_proof.proofs()}
    for name in coverage_proof.in_use():
        yield f"What {name} opens", _proof(known.get(name))


def _proof(one: ScannerProof | None) -> Cell:
    if one is None or one.proved_at is None:
        why = f": {one.problem}" if one else "; the engine tries it when it starts"
        return Cell(f"Not tested yet{why}", is_alarming=True)
    missing = [kind for kind in coverage_proof.KINDS if kind not in one.opens]
    is_late = timezone.now() - one.proved_at > PROOF_LIFETIME
    return Cell(
        f"{', '.join(one.opens) or 'Nothing'}. Tested ",
        at=one.proved_at,
        note=" ".join(filter(None, (_unopened(missing), one.problem))),
        is_alarming=is_late or bool(set(missing) & set(coverage_proof.BASIC)),
    )


def _unopened(missing: Sequence[str]) -> str:
    """What happens to the kinds that are not opened, and what to do."""
    if not missing:
        return ""
    allowed = [k for k in missing if k in settings.POSTERN.archives_unscanned]
    refused = [k for k in missing if k not in allowed]
    said = f"Refused: {', '.join(refused)}. " if refused else ""
    said += f"Delivered with a mark: {', '.join(allowed)}. " if allowed else ""
    return f"{said}engine/antivirus/README.md names the packages and settings."


def _certificate() -> Fact:
    label = "Our certificate"
    ends_at = certificate_ends_at()
    if ends_at is None:
        return label, Cell(
            "Cannot be read. Set POSTERN_TLS_CERT_FILE.", is_alarming=True
        )
    left = ends_at - timezone.now()
    return label, Cell(
        f"{left.days} days left, until ", at=ends_at, is_alarming=left < RENEWAL_PERIOD
    )


def certificate_ends_at() -> datetime | None:
    """When the certificate that peers see ends; None if it cannot be read."""
    path = Path(settings.POSTERN.tls_cert_file or "-")
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found.not_valid_after_utc


def _worker() -> Fact:
    # Due jobs only: one that waits for its next attempt says nothing about the worker.
    due = sum(lane.count for lane in backlog.by_lane(clock.now()))
    last = tasks.last_success_at()
    is_late = due > 0 and (last is None or timezone.now() - last > WORKER_LATE)
    if last is None:
        return "Worker", Cell(
            f"{due} jobs are due; none has succeeded yet", is_alarming=is_late
        )
    return "Worker", Cell(
        f"{due} jobs are due; the last success was ", at=last, is_alarming=is_late
    )


def _queue() -> Fact:
    oldest = (
        Recipient.objects.filter(status=RecipientStatus.QUEUED)
        .select_related("message")
        .order_by("pk")
        .first()
    )
    if oldest is None:
        return "Mail queue", Cell("Empty")
    return "Mail queue", Cell("The oldest waits since ", at=oldest.message.accepted_at)


def _outside() -> Fact:
    """Where notices to everyday addresses are sent."""
    if settings.POSTERN.smarthost:
        host = settings.POSTERN.smarthost.rpartition("@")[2]
        return "Notices to the outside", Cell(f"Through {host}")
    is_production = settings.POSTERN.env == "production"
    said = "Nowhere: set POSTERN_SMARTHOST." if is_production else "Into the outbox"
    return "Notices to the outside", Cell(said, is_alarming=is_production)
