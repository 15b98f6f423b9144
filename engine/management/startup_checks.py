"""Checks, before a process starts, what its settings alone do not show.

Whether the database has this version's migrations; in production also whether the virus
scanner answers and opens what it must, whether other hosts serve this database without a
shared cache or with other blobs, and whether the master keys open what is stored. The
settings themselves are checked by `portal.configuration.production_checks`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from engine.antivirus.scanners import clamd, coverage_proof
from engine.backups.models import Restore
from engine.blobs import store
from engine.blobs.interface import BlobStoreError
from engine.database import clock, due_migrations
from engine.encryption import key_checks
from engine.health import process_identity
from engine.health.checks import host_state
from engine.health.models import Heartbeat

log = logging.getLogger(__name__)

# Due migrations that the error names.
SHOWN = 3
OTHER_BLOBS = (
    "Other hosts ({}) serve the same database, and the bodies of messages that one host "
    "keeps would be missing on the others. Set POSTERN_BLOB_URL to the same S3 bucket on "
    "all of them; engine/blobs/README.md says how to move there what is in files."
)


def check(*, scans: bool) -> None:
    """Logs warnings, and raises ImproperlyConfigured with all faults found.

    `scans` is true of a process that accepts mail, and has it scanned.
    """
    _check_migrations()
    _check_restores()
    if settings.POSTERN.env != "production":
        return
    for warning in warnings():
        log.warning(warning)
    faults = [*_faults_of_hosts(), *key_checks.faults()]
    if scans:
        _log_silent_scanners()
        faults += coverage_proof.faults()
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ImproperlyConfigured(f"Postern does not start:\n{lines}")


def _check_migrations() -> None:
    """Raises ImproperlyConfigured while migrations are due.

    A process on an older schema would serve until it reaches the first column that is
    missing. The other way round is meant: a version whose successor has migrated serves
    on, so that migrations that this version does not know are no fault.
    """
    due = due_migrations.due()
    if not due:
        return
    named = ", ".join(due[:SHOWN]) + (", …" if len(due) > SHOWN else "")
    raise ImproperlyConfigured(
        f"Postern does not start: {len(due)} migrations are due ({named}). Back up, then "
        "run manage.py migrate once, on one host. It can run while the version before "
        "serves."
    )


def _check_restores() -> None:
    """Raises ImproperlyConfigured while a restore is under way."""
    for one in Restore.objects.filter(finished_at=None):
        raise ImproperlyConfigured(
            f"Postern does not start: the restore of {one} is not complete. Let it end, "
            "or run manage.py restore again: it goes on where it stopped."
        )


def warnings() -> Iterator[str]:
    """Yields settings that may be intended, but are more often an oversight."""
    ours = settings.POSTERN
    has_balancer_here = any(one.is_loopback for one in ours.mail_balancers)
    if _is_loopback(ours.smtp_host) and not has_balancer_here:
        yield (
            f"SMTP and POP3 listen on {ours.smtp_host} only: no other machine can send "
            "or fetch mail. Set POSTERN_SMTP_HOST, to 0.0.0.0 for example."
        )
    has_proxy_here = any(one.is_loopback for one in ours.trusted_proxies)
    if _is_loopback(ours.host) and not has_proxy_here:
        yield (
            f"The website listens on {ours.host} only, and no proxy on this machine is "
            "trusted. Set POSTERN_HOST, or POSTERN_TRUSTED_PROXIES."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _faults_of_hosts() -> Iterator[str]:
    try:
        if others := hosts_with_other_blobs():
            yield OTHER_BLOBS.format(", ".join(others))
    except BlobStoreError as error:
        yield str(error)
    if settings.POSTERN.redis_url or connection.vendor != "postgresql":
        return
    if others := hosts_with_own_counters():
        yield (
            f"Other hosts ({', '.join(others)}) serve the same database, and each would "
            "count rate limits by itself. Set POSTERN_REDIS_URL on all of them; containers "
            "on one machine can share POSTERN_VAR instead."
        )


def hosts_with_own_counters() -> list[str]:
    """Returns the names of other hosts that count rate limits in a folder of their own.

    By heartbeats: connections to the database would count shells and commands as well.
    """
    here = host_state.counter_folder()
    alive = Heartbeat.objects.alive(clock.now())
    return sorted({beat.host for beat in alive if _counts_elsewhere(beat, here)})


def hosts_with_other_blobs() -> list[str]:
    """Returns the names of hosts that cannot read our blobs, or whose blobs we cannot.

    Each must read what the others write: from its first store or from its second.
    """
    ours = store.identities()
    alive = Heartbeat.objects.alive(clock.now())
    return sorted({beat.host for beat in alive if not _shares_blobs(beat, ours)})


def _shares_blobs(beat: Heartbeat, ours: tuple[str, str]) -> bool:
    written = beat.facts.get("blobs_in")
    if written is None:
        # An earlier version, which knows files only and does not report them.
        return beat.host == process_identity.host()
    return written in ours and ours[0] in (written, beat.facts.get("blobs_also_in"))


def _counts_elsewhere(beat: Heartbeat, here: str) -> bool:
    # A process of an earlier version does not report where it counts.
    where = beat.facts.get("counts_in")
    return bool(where != here if where else beat.host != process_identity.host())


def _log_silent_scanners() -> None:
    """Logs scanners that do not answer.

    The engine starts all the same: POP3 and the queue need no scanner, new mail is
    deferred until one is back, and an alarm is raised.
    """
    targets = settings.POSTERN.clamd_targets
    silent = [target for target in targets if not asyncio.run(clamd.answers(target))]
    if not silent:
        return
    log.error(
        "the virus scanner does not answer at %s%s. Start clamd, or set POSTERN_CLAMD to "
        "where it listens.",
        ", ".join(silent),
        ""
        if len(silent) < len(targets)
        else ": all new mail is deferred until it does",
    )
