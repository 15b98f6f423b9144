"""How the service stands: what it is set to, and whether each part answers."""

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
from engine.queue.models import Recipient, RecipientStatus
from portal.console.operations import tasks
from portal.console.sheet import Cell

SOON = timedelta(days=21)  # within which a certificate must be renewed
UNPROVED = timedelta(hours=2)  # since a scanner was tried, which is done every hour
LATE = timedelta(hours=1)  # without a job done, where some wait
HARMLESS = b"Subject: Is the scanner there?\r\n\r\nYes.\r\n"

Fact = tuple[str, Cell]


def soon() -> datetime:
    """A certificate that ends before this must be renewed."""
    return timezone.now() + SOON


def parts() -> list[Fact]:
    """Each part of the service, alarming where somebody must look."""
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
    """What the environment sets; nothing of it is secret."""
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
    """How many kinds, where that differs from the default, and where all are shown."""
    found = listing()
    count = sum(len(endings) for _, endings in found.groups) + len(found.added)
    more = f", besides the default {', '.join(found.added)}" if found.added else ""
    fewer = f", but not {', '.join(found.allowed)}" if found.allowed else ""
    active = "warned of" if found.warns else "refused"
    encrypted = "carried with a mark" if found.carries_encrypted else "refused"
    return Cell(
        f"{count} kinds{more}{fewer}. Web pages and drawings are {active}, "
        f"encrypted files and messages {encrypted}",
        note=f"The whole list: {settings.POSTERN.site_url}{reverse('attachments')}",
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
    said = f"Answers ({verdict.scanner})"
    return "Virus scanner", Cell(said, note=note, is_alarming=is_fallback)


def _proofs() -> Iterator[Fact]:
    """What each scanner really opens, as it was seen last."""
    known = {one.scanner: one for one in coverage_proof.proofs()}
    for name in coverage_proof.in_use():
        yield f"What {name} opens", _proof(known.get(name))


def _proof(one: ScannerProof | None) -> Cell:
    if one is None or one.proved_at is None:
        why = f": {one.problem}" if one else "; the engine tries it when it starts"
        return Cell(f"Not proved yet{why}", is_alarming=True)
    missing = [kind for kind in coverage_proof.KINDS if kind not in one.opens]
    is_late = timezone.now() - one.proved_at > UNPROVED
    return Cell(
        f"{', '.join(one.opens) or 'Nothing'}. Proved ",
        at=one.proved_at,
        note=" ".join(filter(None, (_unopened(missing), one.problem))),
        is_alarming=is_late or bool(set(missing) & set(coverage_proof.BASIC)),
    )


def _unopened(missing: Sequence[str]) -> str:
    """What becomes of the kinds that are not opened, and what to do."""
    if not missing:
        return ""
    allowed = [k for k in missing if k in settings.POSTERN.archives_unscanned]
    refused = [k for k in missing if k not in allowed]
    said = f"Refused by name: {', '.join(refused)}. " if refused else ""
    said += f"Carried with a mark: {', '.join(allowed)}. " if allowed else ""
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
        f"{left.days} days left, until ", at=ends_at, is_alarming=left < SOON
    )


def certificate_ends_at() -> datetime | None:
    """When the certificate that peers see ends; None where there is none to read."""
    path = Path(settings.POSTERN.tls_cert_file or "-")
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found.not_valid_after_utc


def _worker() -> Fact:
    waiting, last = tasks.waiting(), tasks.last_done()
    is_late = waiting > 0 and (last is None or timezone.now() - last > LATE)
    said = f"{waiting} jobs wait; the last one ended "
    if last is None:
        return "Worker", Cell(
            f"{waiting} jobs wait; none has ended yet", is_alarming=is_late
        )
    return "Worker", Cell(said, at=last, is_alarming=is_late)


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
    """Where notices to everyday addresses go."""
    if settings.POSTERN.smarthost:
        host = settings.POSTERN.smarthost.rpartition("@")[2]
        return "Notices to the outside", Cell(f"Through {host}")
    is_production = settings.POSTERN.env == "production"
    said = "Nowhere: set POSTERN_SMARTHOST." if is_production else "Into the outbox"
    return "Notices to the outside", Cell(said, is_alarming=is_production)
