"""Asks what a host depends on and cannot see by itself: scanner, cache, certificate."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from django.conf import settings
from redis.exceptions import RedisError

from engine.antivirus import scanner
from engine.antivirus.scanner import ScannerUnavailable
from engine.certificates import CertificateError, Files
from engine.health import readiness
from engine.health.hosts import Facts

SCAN_SECONDS = 10.0
# A fault counts when it was there so often, one after another: a certificate is half
# written for a moment whenever it is renewed, and a scanner may be loading.
TIMES = 2
HARMLESS = b"Subject: Is the scanner there?\r\n\r\nYes.\r\n"


class Probes:
    """Asks again and again, and keeps what was said last. One thread calls `round`."""

    def __init__(self) -> None:
        self._unknown = {"scanner", "cache", "certificate"}
        self.facts: Facts = {"unknown": sorted(self._unknown)}
        self._failed: dict[str, int] = {}

    def round(self) -> None:
        """Ask everything once."""
        facts: Facts = {}
        if fault := self._lasting("scanner", scanner_fault):
            facts["scanner_fault"] = fault
        if fault := self._lasting("cache", cache_fault):
            facts["cache_fault"] = fault
        if fault := self._lasting("certificate", certificate_fault):
            facts["certificate_fault"] = fault
        if ends_at := certificate_ends():
            facts["certificate"] = ends_at
        if self._unknown:
            facts["unknown"] = sorted(self._unknown)
        self.facts = facts

    def _lasting(self, name: str, ask: Callable[[], str]) -> str:
        """What is wrong with it, once that was so a few times; empty for nothing."""
        fault = ask()
        self._failed[name] = self._failed.get(name, 0) + 1 if fault else 0
        is_lasting = self._failed[name] >= TIMES
        if is_lasting or not fault:
            self._unknown.discard(name)
        return fault if is_lasting else ""


def scanner_fault() -> str:
    """Why the scanner gives no verdict; empty where it does, or where none is set."""
    if settings.POSTERN.clamd in ("", scanner.OFF):
        return ""
    try:
        asyncio.run(_scan())
    except ScannerUnavailable as error:
        return error.reply.text
    except TimeoutError:
        return f"It has not answered within {SCAN_SECONDS:.0f} seconds."
    return ""


async def _scan() -> None:
    async with asyncio.timeout(SCAN_SECONDS):
        scan = scanner.configured().open()
        try:
            await scan.feed(HARMLESS)
            await scan.verdict()
        finally:
            await scan.abandon()


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
        files = Files(ours.tls_cert_file, ours.tls_key_file, ours.tls_ca_file)
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
