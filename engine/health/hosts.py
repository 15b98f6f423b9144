"""What a process sees of its own host, and what is wrong with that.

Its heartbeat carries these facts, so that the process that evaluates sees every host; while the
database is away each host evaluates its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

from django.conf import settings

from engine.health import identity
from engine.health.situation import Finding, Unknown
from engine.secrets import state_folder

# Free room on the disk of POSTERN_VAR below which the alarm is raised: the smaller of
# the two, so that a small disk is not always short and a large one not too late.
LEAST_FREE = 1024**3  # octets
LEAST_SHARE = 0.1
LEAST_FILES = 0.02  # of all inodes
CLOCK_SECONDS = 30.0
RENEWAL = timedelta(days=21)
# Of the running system: every container on a machine reads the same.
_BOOT = Path("/proc/sys/kernel/random/boot_id")


RULES = frozenset({"disk", "certificate", "clock", "scanner", "scanner_doubt", "cache"})


class Facts(TypedDict, total=False):
    """JSON. What could not be looked at is not there."""

    counts_in: str
    """The folder in which limits are counted where there is no Redis."""
    disk_free: int
    disk_total: int
    files_free: int
    files_total: int
    clock: float
    """Seconds that this host is ahead of the database."""
    certificate: str
    """When it ends, in ISO 8601."""
    certificate_fault: str
    scanner_fault: str
    scanner_doubt: str
    """What is wrong with some of several scanners, or with what they open."""
    cache_fault: str
    unknown: list[str]
    """Rules that this process has not judged yet: it has just started."""
    loop_lag: float
    """The longest that the event loop was late in the last minute, in seconds."""


def counts_in() -> str:
    """A name for the folder in which limits are counted where there is no Redis.

    Containers that share the folder on one machine give it the same name. A folder that
    was copied to another machine has another. Raises OSError.
    """
    found = state_folder.subfolder("cache").stat()
    system = _BOOT.read_text().strip() if _BOOT.exists() else identity.host()
    return f"{system} {found.st_dev} {found.st_ino}"


def disk() -> Facts:
    """The disk of all state. Raises OSError."""
    found = os.statvfs(settings.POSTERN.path())
    return {
        "disk_free": found.f_bavail * found.f_frsize,
        "disk_total": found.f_blocks * found.f_frsize,
        "files_free": found.f_favail,
        "files_total": found.f_files,
    }


def faults(host: str, facts: Facts, now: datetime) -> Iterator[Finding]:
    """What is wrong with a host by what one of its processes saw."""
    yield from _disk(host, facts)
    yield from _certificate(host, facts, now)
    ahead = facts.get("clock", 0.0)
    if abs(ahead) > CLOCK_SECONDS:
        way = "ahead of" if ahead > 0 else "behind"
        said = f"It is {abs(ahead):.0f} seconds {way} the database's."
        yield Finding("clock", host, said)
    if fault := facts.get("scanner_fault"):
        yield Finding("scanner", host, fault)
    elif fault := facts.get("scanner_doubt"):
        yield Finding("scanner_doubt", host, fault)
    if fault := facts.get("cache_fault"):
        yield Finding("cache", host, fault)


def unknown(host: str, seen: Sequence[Facts]) -> Iterator[Unknown]:
    """The rules that none of a host's processes has judged, by what each of them saw."""
    doubts = [frozenset(facts.get("unknown", ())) for facts in seen]
    for rule in frozenset.intersection(*doubts) if doubts else RULES:
        yield Unknown(rule, host)


def _disk(host: str, facts: Facts) -> Iterator[Finding]:
    free, total = facts.get("disk_free"), facts.get("disk_total")
    if free is not None and total and free < min(LEAST_FREE, LEAST_SHARE * total):
        yield Finding(
            "disk", host, f"{free // 1024**2} MB of {total // 1024**2} are free."
        )
        return
    left, files = facts.get("files_free"), facts.get("files_total")
    if left is not None and files and left < LEAST_FILES * files:
        yield Finding("disk", host, f"{left} of {files} files can still be made.")


def _certificate(host: str, facts: Facts, now: datetime) -> Iterator[Finding]:
    if fault := facts.get("certificate_fault"):
        yield Finding("certificate", host, fault)
        return
    ends = facts.get("certificate")
    if not ends:
        return
    ends_at = datetime.fromisoformat(ends)
    if ends_at <= now:
        yield Finding(
            "certificate", host, f"It ended on {ends_at:%-d %B %Y at %H:%M} UTC."
        )
    elif ends_at - now <= RENEWAL:
        days = (ends_at - now).days
        yield Finding(
            "certificate", host, f"It ends in {days} days, on {ends_at:%-d %B %Y}."
        )
