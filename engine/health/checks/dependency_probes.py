"""Probes what a host depends on: virus scanners, shared cache, blobs and certificate."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from cryptography import x509
from django.conf import settings
from redis.exceptions import RedisError

from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.scanners.coverage_proof import Shortfall
from engine.antivirus.scanners.message_scan import Scanner, ScannerUnavailable
from engine.blobs import store
from engine.health import readiness
from engine.health.checks.host_state import Facts
from engine.secrets.certificates import CertificateError, CertificateFiles

SCAN_SECONDS = 10.0
# A fault counts once so many probes in a row have found it. The files of a certificate do
# not match for a moment during each renewal, and a scanner may just be loading.
MIN_FAILURES = 2
HARMLESS = b"Subject: Is the scanner there?\r\n\r\nYes.\r\n"


class DependencyProbes:
    """Keeps the latest result of each probe. One thread calls `run` repeatedly."""

    def __init__(self) -> None:
        self._unknown = {"scanner", "scanner_doubt", "cache", "certificate", "store"}
        self.facts: Facts = {"unknown": sorted(self._unknown)}
        self._failures: dict[str, int] = {}

    def run(self) -> None:
        """Runs every probe once, and replaces `facts`."""
        facts: Facts = {}
        all_failed, some_failed = scanner_faults()
        if fault := self._lasting("scanner", all_failed):
            facts["scanner_fault"] = fault
        if fault := self._lasting("scanner_doubt", some_failed):
            facts["scanner_doubt"] = fault
        if fault := self._lasting("cache", cache_fault()):
            facts["cache_fault"] = fault
        if fault := self._lasting("certificate", certificate_fault()):
            facts["certificate_fault"] = fault
        if fault := self._lasting("store", store_fault()):
            facts["store_fault"] = fault
        if expiry := certificate_expiry():
            facts["certificate"] = expiry
        if self._unknown:
            facts["unknown"] = sorted(self._unknown)
        self.facts = facts

    def _lasting(self, name: str, fault: str) -> str:
        """Returns the fault once MIN_FAILURES probes have found one; "" before that."""
        self._failures[name] = self._failures.get(name, 0) + 1 if fault else 0
        is_lasting = self._failures[name] >= MIN_FAILURES
        if is_lasting or not fault:
            self._unknown.discard(name)
        return fault if is_lasting else ""


def scanner_faults() -> tuple[str, str]:
    """Scans a harmless message with each scanner.

    Returns the fault if none of them gives a verdict, and else the faults of those that
    do not. Both are empty if all scanners work or none is configured.
    """
    if settings.POSTERN.clamd in ("", message_scan.OFF):
        return "", ""
    faults = asyncio.run(_faults())
    failed = {name: fault for name, fault in faults.items() if fault}
    if len(failed) == len(faults):
        return next(iter(failed.values()), ""), ""
    return "", " ".join(f"{name}: {fault}" for name, fault in failed.items())


async def _faults() -> dict[str, str]:
    """Probes each scanner alone: a scan may use any one, so a fault would stay hidden."""
    scanners = coverage_proof.in_use()
    found = await asyncio.gather(*map(_fault, scanners.values()))
    return dict(zip(scanners, found, strict=True))


async def _fault(one: Scanner) -> str:
    try:
        async with asyncio.timeout(SCAN_SECONDS):
            scan = one.open()
            try:
                await scan.feed(HARMLESS)
                await scan.verdict()
            finally:
                await scan.abandon()
    except ScannerUnavailable as error:
        return error.reply.text
    except TimeoutError:
        return f"It has not answered within {SCAN_SECONDS:.0f} seconds."
    return ""


def coverage_fault() -> str:
    """Returns which kinds of test file the scanners missed; "" if none.

    Reads the results of the last coverage proof from the database.
    """
    if settings.POSTERN.clamd in ("", message_scan.OFF):
        return ""
    return " ".join(map(_described, coverage_proof.shortfalls()))


def _described(found: Shortfall) -> str:
    detail = found.problem
    if found.missing:
        kinds = ", ".join(found.missing)
        detail = f"it does not find the standard test file in: {kinds}. {detail}"
    return f"{found.scanner}: {detail}".rstrip()


def cache_fault() -> str:
    """Returns why the shared cache does not answer; "" if it does or none is configured."""
    if not settings.POSTERN.redis_url:
        return ""
    try:
        readiness.ping_cache()
    except (RedisError, OSError) as error:
        return str(error)
    return ""


def store_fault() -> str:
    """Returns why the store of blobs takes none; "" if it does. Takes a few seconds."""
    try:
        store.configured().probe()
    except OSError as error:
        return str(error)
    return ""


def certificate_fault() -> str:
    """Returns why the certificate and key cannot be loaded; "" if they can."""
    ours = settings.POSTERN
    if not ours.tls_cert_file:
        return ""
    try:
        files = CertificateFiles(
            ours.tls_cert_file, ours.tls_key_file, ours.tls_ca_file
        )
        files.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    except (CertificateError, OSError, ValueError) as error:
        return str(error)
    return ""


def certificate_expiry() -> str:
    """Returns when the certificate expires, in ISO 8601; "" if none can be read."""
    try:
        raw = Path(settings.POSTERN.tls_cert_file or "-").read_bytes()
        found = x509.load_pem_x509_certificate(raw)
    except (OSError, ValueError):
        return ""
    return found.not_valid_after_utc.isoformat()
