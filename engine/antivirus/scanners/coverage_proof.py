"""Proves which kinds of file the scanners open, and saves it for every process.

Packages and settings decide what clamd opens, and it calls clean what it does not open. So
each scanner gets the EICAR test file in every kind of archive: when the engine starts,
every hour, and every minute while one does not answer. Kinds that one of them does not
open are refused by name (`policy`).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db.models.functions import Now

from engine.antivirus.models import ScannerProof
from engine.antivirus.scanners import clamd, embedded, message_scan
from engine.antivirus.scanners.clamd import ClamdScanner
from engine.antivirus.scanners.eicar_messages import BESIDE_ENCRYPTED, messages
from engine.antivirus.scanners.interface import Scanner, ScannerUnavailable
from engine.database.threads import DatabaseThreads

log = logging.getLogger(__name__)

ARCHIVES = ("zip", "7z", "rar", "tar.gz", "tar.xz", "docm")  # refused by name
KINDS = ("attachment", *ARCHIVES, "message", BESIDE_ENCRYPTED)
# clamd opens RAR only with a package from Debian's non-free section.
BASIC = tuple(kind for kind in KINDS if kind != "rar")
AGAIN = timedelta(hours=1)
LOOK_EVERY = 60.0  # seconds

_held: frozenset[str] | None = None


def in_use() -> dict[str, Scanner]:
    """Returns the configured scanners, by the name under which their proof is saved.

    A socket's name includes the host, because it is another clamd on each host.
    """
    service = settings.POSTERN
    if service.clamd == message_scan.OFF:
        return {}
    if not service.clamd:
        return {embedded.NAME: message_scan.configured()}
    return {_name(target): ClamdScanner(target) for target in service.clamd_targets}


def _name(target: str) -> str:
    return f"{socket.gethostname()}:{target}" if "/" in target else target


def prove() -> list[ScannerProof]:
    """Tries every configured scanner and saves what it opens.

    A scanner that does not answer keeps its earlier proof.
    """
    return [_prove(name, one) for name, one in in_use().items()]


def _prove(name: str, one: Scanner) -> ScannerProof:
    found: dict[str, object] = {"asked_at": Now()}
    try:
        opens = opened(one)
        found |= {"opens": opens, "proved_at": Now(), "problem": ""}
        if isinstance(one, ClamdScanner):
            found["signatures"] = async_to_sync(clamd.version)(one.targets[0])
    except ScannerUnavailable as error:
        found["problem"] = error.reply.text
        log.warning("what the scanner %s opens is not proved: %s", name, error)
    ScannerProof.objects.update_or_create(scanner=name, defaults=found)
    return ScannerProof.objects.get(scanner=name)


def opened(one: Scanner) -> list[str]:
    """Returns the KINDS in which a scanner finds the test file; saves nothing.

    Raises ScannerUnavailable.
    """
    return async_to_sync(_opened)(one)


async def _opened(one: Scanner) -> list[str]:
    found = []
    for kind, message in messages().items():
        scan = one.open()
        try:
            await scan.feed(message)
            if (await scan.verdict()).is_infected:
                found.append(kind)
        finally:
            await scan.abandon()
    return found


def proofs() -> list[ScannerProof]:
    """Returns the saved proofs of the configured scanners."""
    return list(ScannerProof.objects.filter(scanner__in=in_use()).order_by("scanner"))


def signatures() -> str:
    """Returns the versions of the signatures in use, as the proofs have them."""
    return "; ".join(sorted({one.signatures for one in proofs() if one.signatures}))


def current() -> frozenset[str]:
    """Returns the kinds that a configured scanner does not open, or was never proved to.

    Queries the database.
    """
    known = {proof.scanner: proof for proof in proofs()}
    unopened = set[str]()
    for name in in_use():
        proof = known.get(name)
        is_proved = proof is not None and proof.proved_at is not None
        unopened |= (
            set(KINDS) - set(proof.opens) if proof and is_proved else _unproved()
        )
    return frozenset(unopened)


def _unproved() -> frozenset[str]:
    """Returns the kinds that are doubtful until a scanner has been tried."""
    return frozenset(("rar",)) if settings.POSTERN.clamd else embedded.CLOSED


def held() -> frozenset[str]:
    """Returns `current` as this process last read it, without a query."""
    if _held is None:
        return _unproved() if in_use() else frozenset()
    return _held


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is wrong with a configured scanner: the basic kinds that it did not open when
    last tried, or why it could not be tried since."""

    scanner: str
    missing: tuple[str, ...]
    problem: str


def shortfalls() -> list[Shortfall]:
    """Returns the shortfalls of the configured scanners, by their saved proofs."""
    return _shortfalls(proofs())


def _shortfalls(found: Iterable[ScannerProof]) -> list[Shortfall]:
    every = [
        Shortfall(
            proof.scanner,
            tuple(
                kind for kind in BASIC if proof.proved_at and kind not in proof.opens
            ),
            proof.problem,
        )
        for proof in found
    ]
    return [one for one in every if one.missing or one.problem]


def faults() -> Iterator[str]:
    """Tries every scanner; yields a sentence for each that fails some of the basic kinds.

    A scanner that does not answer yields none, because mail waits for it.
    """
    for found in _shortfalls(prove()):
        if not found.problem:
            yield (
                f"The virus scanner {found.scanner} does not find the standard test file "
                f"in: {', '.join(found.missing)}. engine/antivirus/README.md names the "
                "packages and settings that clamd needs."
            )


async def keep(stop: asyncio.Event) -> None:
    """Reads the proofs every minute, and renews those that are an hour old or failed.

    Failed ones every minute, so that the alert ends soon after the scanner is repaired.
    """
    global _held
    threads = DatabaseThreads("proof", count=1)
    while not stop.is_set():
        try:
            _held = await threads.run(renewed)
        except Exception:
            log.exception("what the scanners open could not be proved")
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        except TimeoutError:
            continue
    await threads.close()


def renewed() -> frozenset[str]:
    """Renews the proofs if one is old or failed; returns `current`."""
    fresh = ScannerProof.objects.filter(
        scanner__in=in_use(), problem="", proved_at__gt=Now() - AGAIN
    )
    is_failing = bool(settings.POSTERN.clamd) and bool(shortfalls())
    if is_failing or fresh.count() < len(in_use()):
        prove()
    return current()
