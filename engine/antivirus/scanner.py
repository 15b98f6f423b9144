"""The scanner that the configuration asks for."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from engine.antivirus.base import Scan, Scanner, ScannerUnavailable
from engine.antivirus.clamd import ClamdScanner
from engine.antivirus.embedded import EmbeddedScanner
from engine.antivirus.verdict import Verdict, VerdictState

__all__ = [
    "OffScanner",
    "Scan",
    "Scanner",
    "ScannerUnavailable",
    "configured",
    "scan_bytes",
]

OFF = "off"


def configured() -> Scanner:
    """clamd where POSTERN_CLAMD says where it is, else the embedded fallback."""
    target = settings.POSTERN.clamd
    if target == OFF:
        return OffScanner()
    if target:
        return ClamdScanner(target)
    return EmbeddedScanner(settings.POSTERN.path("scanning"))


def scan_bytes(data: bytes) -> Verdict:
    """Scan a whole message at once, where there is no event loop.

    Raises ScannerUnavailable.
    """
    return async_to_sync(_scan)(data)


async def _scan(data: bytes) -> Verdict:
    scan = configured().open()
    try:
        await scan.feed(data)
        return await scan.verdict()
    finally:
        await scan.abandon()


class OffScanner:
    """Finds everything clean, for measuring what the rest costs."""

    def __init__(self) -> None:
        if settings.POSTERN.env == "production":
            raise ImproperlyConfigured(
                "POSTERN_CLAMD is off. Set it to clamd's socket path or host:port."
            )

    def open(self) -> OffScan:
        return OffScan()


class OffScan:
    async def feed(self, chunk: bytes) -> None:
        """Look away."""

    async def verdict(self) -> Verdict:
        return Verdict(VerdictState.CLEAN, scanner=OFF)

    async def abandon(self) -> None:
        """Nothing is held."""
