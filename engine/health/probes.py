"""Asks what a host depends on and cannot see by itself: scanner, cache, certificate."""

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
from engine.health import readiness
from engine.health.hosts import Facts
from engine.secrets.certificates import CertificateError, CertificateFiles

SCAN_SECONDS = 10.0
# A fault counts when it was there so often, one after another: a certificate is half
# written for a moment whenever it is renewed, and a scanner may be loading.
TIMES = 2
HARMLESS = b"Subject: Is the scanner there?\r\n\r\nYes.\r\n"


class Probes:
    """Asks again and again, and keeps what was said last. One thread calls `round`."""

    def __init__(self) -> None:
        self._unknown = {"scanner", "scanner_doubt", "cache", "certificate"}
        self.facts: Facts = {"unknown": sorted(self._unknown)}
        self._failed: dict[str, int] = {}

    def round(self) -> None:
        """Ask everything once."""
        facts: Facts = {}
        silent, some = scanner_faults()
        if fault := self._lasting("scanner", silent):
            facts["scanner_fault"] = fault
        if fault := self._lasting("scanner_doubt", some):
            facts["scanner_doubt"] = fault
        if fault := self._lasting("cache", cache_fault()):
            facts["cache_fault"] = fault
        if fault := self._lasting("certificate", certificate_fault()):
            facts["certificate_fault"] = fault
        if ends_at := certificate_ends():
            facts["certificate"] = ends_at
        if self._unknown:
            facts["unknown"] = sorted(self._unknown)
        self.facts = facts

    def _lasting(self, name: str, fault: str) -> str:
        """What is wrong with it, once that was so a few times; empty for nothing."""
        self._failed[name] = self._failed.get(name, 0) + 1 if fault else 0
        is_lasting = self._failed[name] >= TIMES
        if is_lasting or not fault:
            self._unknown.discard(name)
        return fault if is_lasting else ""


def scanner_faults() -> tuple[str, str]:
    """Why no scanner gives a verdict, and else why some of several do not; empty where
    they do, or where none is set."""
    if settings.POSTERN.clamd in ("", message_scan.OFF):
        return "", ""
    faults = asyncio.run(_faults())
    failed = {name: fault for name, fault in faults.items() if fault}
    if len(failed) == len(faults):
        return next(iter(failed.values()), ""), ""
    return "", " ".join(f"{name}: {fault}" for name, fault in failed.items())


async def _faults() -> dict[str, str]:
    """Ask each scanner by itself: together, one that answers hides the others."""
    asked = coverage_proof.in_use()
    found = await asyncio.gather(*map(_fault, asked.values()))
    return dict(zip(asked, found, strict=True))


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


def proof_fault() -> str:
    """What the scanners were seen to fail of what they should open. Asks the database."""
    if settings.POSTERN.clamd in ("", message_scan.OFF):
        return ""
    return " ".join(map(_described, coverage_proof.shortfalls()))


def _described(found: Shortfall) -> str:
    said = found.problem
    if found.missing:
        kinds = ", ".join(found.missing)
        said = f"it does not find the standard test file in: {kinds}. {said}"
    return f"{found.scanner}: {said}".rstrip()


def cache_fault() -> str:
    if not settings.POSTERN.redis_url:
        return ""
    try:
        readiness.ask_cache()
    except (RedisError, OSError) as error:
        return str(error)
    return ""


def certificate_fault() -> str:
    """Why our certificate and key cannot be served; empty where they can."""
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


def certificate_ends() -> str:
    """When our certificate ends, in ISO 8601; empty where there is none to read."""
    try:
        raw = Path(settings.POSTERN.tls_cert_file or "-").read_bytes()
        found = x509.load_pem_x509_certificate(raw)
    except (OSError, ValueError):
        return ""
    return found.not_valid_after_utc.isoformat()
