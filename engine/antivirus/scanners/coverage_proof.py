"""Proves what the scanners in use really open, and keeps it where every process reads it.

Packages and settings decide what clamd opens, and it calls clean what it does not. So each
scanner is given the standard test file in every kind of wrapping: when the engine starts,
every hour, and each minute while one does not answer. Kinds that one of them does not open
are refused by name (`policy`).
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
from engine.antivirus.scanners import embedded, message_scan
from engine.antivirus.scanners.clamd import ClamdScanner
from engine.antivirus.scanners.eicar_messages import BESIDE_ENCRYPTED, messages
from engine.antivirus.scanners.interface import Scanner, ScannerUnavailable
from engine.threads import DatabaseThreads

log = logging.getLogger(__name__)

ARCHIVES = ("zip", "7z", "rar", "tar.gz", "tar.xz", "docm")  # refused by name
KINDS = ("attachment", *ARCHIVES, "message", BESIDE_ENCRYPTED)
# clamd opens RAR with a package of Debian's non-free part only.
BASIC = tuple(kind for kind in KINDS if kind != "rar")
AGAIN = timedelta(hours=1)
LOOK_EVERY = 60.0  # seconds

_held: frozenset[str] | None = None


def in_use() -> dict[str, Scanner]:
    """Every scanner of the configuration by the name under which its proof is kept.

    A socket is another clamd on each host.
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
    """Try every scanner in use, and keep what it opens.

    Of one that does not answer, what it opened before stays.
    """
    return [_prove(name, one) for name, one in in_use().items()]


def _prove(name: str, one: Scanner) -> ScannerProof:
    found: dict[str, object] = {"asked_at": Now()}
    try:
        opens = async_to_sync(_opened)(one)
        found |= {"opens": opens, "proved_at": Now(), "problem": ""}
    except ScannerUnavailable as error:
        found["problem"] = error.reply.text
        log.warning("what the scanner %s opens is not proved: %s", name, error)
    ScannerProof.objects.update_or_create(scanner=name, defaults=found)
    return ScannerProof.objects.get(scanner=name)


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
    """What is known of the scanners in use."""
    return list(ScannerProof.objects.filter(scanner__in=in_use()).order_by("scanner"))


def current() -> frozenset[str]:
    """The kinds that a scanner in use does not open, or was never seen to. Asks the database."""
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
    """What is doubtful until a scanner was tried."""
    return frozenset(("rar",)) if settings.POSTERN.clamd else embedded.CLOSED


def held() -> frozenset[str]:
    """The same as the engine saw it last, without asking anybody."""
    if _held is None:
        return _unproved() if in_use() else frozenset()
    return _held


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is wrong with a scanner in use: kinds of the basic set that it did not open
    when it was tried last, or why it could not be tried since."""

    scanner: str
    missing: tuple[str, ...]
    problem: str


def shortfalls() -> list[Shortfall]:
    """The scanners in use with which something is wrong, as far as anybody tried."""
    return _wanting(proofs())


def _wanting(found: Iterable[ScannerProof]) -> list[Shortfall]:
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
    """Try every scanner, and say of each what it fails of the basic set.

    A scanner that does not answer fails nothing: mail waits for it.
    """
    for found in _wanting(prove()):
        if not found.problem:
            yield (
                f"The virus scanner {found.scanner} does not find the standard test file "
                f"in: {', '.join(found.missing)}. engine/antivirus/README.md names the "
                "packages and settings that clamd needs."
            )


async def keep(stop: asyncio.Event) -> None:
    """Look each minute what is proved, and prove again what is an hour old or failed:
    an alarm about a scanner is over soon after it was mended."""
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
    fresh = ScannerProof.objects.filter(
        scanner__in=in_use(), problem="", proved_at__gt=Now() - AGAIN
    )
    is_failing = bool(settings.POSTERN.clamd) and bool(shortfalls())
    if is_failing or fresh.count() < len(in_use()):
        prove()
    return current()
