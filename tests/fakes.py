"""Stand-ins for what cannot run here, or must misbehave on demand. Written once."""

from __future__ import annotations

from engine.antivirus.base import ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState


class FakeScanner:
    """Finds what the words in a message tell it to find.

    INFECTED, SCANNER-AWAY and SCANNER-BROKEN, wherever they stand; else it is clean.
    """

    def open(self) -> FakeScan:
        return FakeScan()


class FakeScan:
    def __init__(self) -> None:
        self._seen = b""
        self.is_abandoned = False

    async def feed(self, chunk: bytes) -> None:
        self._seen = (self._seen + chunk)[-4096:]

    async def verdict(self) -> Verdict:
        if b"SCANNER-AWAY" in self._seen:
            raise ScannerUnavailable("nobody answers")
        if b"SCANNER-BROKEN" in self._seen:
            raise RuntimeError("a secret of the inside")
        if b"INFECTED" in self._seen:
            return Verdict(VerdictState.INFECTED, "Test.Signature", "fake")
        return Verdict(VerdictState.CLEAN, scanner="fake")

    async def abandon(self) -> None:
        self.is_abandoned = True
