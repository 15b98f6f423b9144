"""Observes the host of a process, and finds what is wrong with it.

Each heartbeat carries these facts, so that the leader sees every host. During an outage
of the database, each host checks itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from django.conf import settings

from engine.blobs import store
from engine.health.checks.findings import Finding, Unknown
from engine.secrets import state_folder

# The alarm is raised below the smaller of the two: a small disk would always be short of
# the first, and a large one has plenty left at the second.
MIN_FREE_OCTETS = 1024**3
MIN_FREE_SHARE = 0.1
MIN_FREE_INODES = 0.02  # share of all inodes
MAX_CLOCK_DIFFERENCE = 30.0  # seconds
RENEWAL = timedelta(days=21)


RULES = frozenset(
    {
        "disk", "certificate", "clock", "scanner", "scanner_doubt", "cache", "master_key",
        "store",
    }
)  # fmt: skip


class Facts(TypedDict, total=False):
    """What a process observed, as JSON. What it could not observe is missing.

    Processes of two versions read each other's heartbeats during an upgrade, so that a
    key keeps its name.
    """

    counts_in: str
    """The folder in which rate limits are counted without Redis; see `counter_folder`."""
    disk_free: int
    disk_total: int
    files_free: int
    files_total: int
    clock: float
    """Seconds by which the clock of the host is ahead of the database's."""
    certificate: str
    """When it expires, in ISO 8601."""
    certificate_fault: str
    scanner_fault: str
    scanner_doubt: str
    """The faults of some of several scanners, or of what they open."""
    cache_fault: str
    master_key_fault: str
    store_fault: str
    """Why the store of blobs does not take or give any."""
    blobs_in: str
    """The identity of the store that the process writes blobs to."""
    blobs_also_in: str
    """That of the second, from which it reads as well; "" without one."""
    unknown: list[str]
    """Rules that this process has not judged yet, because it has just started."""
    loop_lag: float
    """The event loop's longest delay in the last minute, in seconds."""


def counter_folder() -> str:
    """Returns an identifier of the folder in which rate limits are counted without Redis.

    Containers of one machine that share the folder get the same identifier; a copy of
    the folder on another machine gets another. Raises OSError.
    """
    return state_folder.identity("cache")


def blob_stores() -> Facts:
    """Returns where this process writes blobs, and where else it reads. Raises OSError."""
    first, second = store.identities()
    return {"blobs_in": first, "blobs_also_in": second}


def disk() -> Facts:
    """Returns the sizes of the disk that holds POSTERN_VAR, in octets. Raises OSError."""
    found = os.statvfs(settings.POSTERN.path())
    return {
        "disk_free": found.f_bavail * found.f_frsize,
        "disk_total": found.f_blocks * found.f_frsize,
        "files_free": found.f_favail,
        "files_total": found.f_files,
    }


def findings(host: str, facts: Facts, now: datetime) -> Iterator[Finding]:
    """Yields what is wrong with a host, by the facts that one of its processes observed."""
    yield from _disk(host, facts)
    yield from _certificate(host, facts, now)
    ahead = facts.get("clock", 0.0)
    if abs(ahead) > MAX_CLOCK_DIFFERENCE:
        direction = "ahead of" if ahead > 0 else "behind"
        detail = f"It is {abs(ahead):.0f} seconds {direction} the database's clock."
        yield Finding("clock", host, detail)
    if fault := facts.get("scanner_fault"):
        yield Finding("scanner", host, fault)
    elif fault := facts.get("scanner_doubt"):
        yield Finding("scanner_doubt", host, fault)
    if fault := facts.get("cache_fault"):
        yield Finding("cache", host, fault)
    if fault := facts.get("master_key_fault"):
        yield Finding("master_key", host, fault)
    if fault := facts.get("store_fault"):
        yield Finding("store", host, fault)


def unknown(host: str, seen: Sequence[Facts]) -> Iterator[Unknown]:
    """Yields the rules that none of a host's processes has judged.

    `seen` holds the facts of each living process; without any, no rule can be judged.
    """
    doubts = [frozenset(facts.get("unknown", ())) for facts in seen]
    for rule in frozenset.intersection(*doubts) if doubts else RULES:
        yield Unknown(rule, host)


def _disk(host: str, facts: Facts) -> Iterator[Finding]:
    free, total = facts.get("disk_free"), facts.get("disk_total")
    if (
        free is not None
        and total
        and free < min(MIN_FREE_OCTETS, MIN_FREE_SHARE * total)
    ):
        detail = f"{free // 1024**2} MB of {total // 1024**2} are free."
        yield Finding("disk", host, detail)
        return
    left, files = facts.get("files_free"), facts.get("files_total")
    # Btrfs reports no inodes at all.
    if left is not None and files and left < MIN_FREE_INODES * files:
        yield Finding("disk", host, f"{left} of {files} inodes are free.")


def _certificate(host: str, facts: Facts, now: datetime) -> Iterator[Finding]:
    if fault := facts.get("certificate_fault"):
        yield Finding("certificate", host, fault)
        return
    expiry = facts.get("certificate")
    if not expiry:
        return
    ends_at = datetime.fromisoformat(expiry)
    if ends_at <= now:
        detail = f"It expired on {ends_at:%-d %B %Y at %H:%M} UTC."
        yield Finding("certificate", host, detail)
    elif ends_at - now <= RENEWAL:
        days = (ends_at - now).days
        detail = f"It expires in {days} days, on {ends_at:%-d %B %Y at %H:%M} UTC."
        yield Finding("certificate", host, detail)
