"""Checks of what the service depends on: database, cache, blobs, scanner, smart host."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection

from engine.antivirus.scanners import coverage_proof
from engine.antivirus.scanners.interface import Scanner, ScannerUnavailable
from engine.backups import postgresql_dump, readme, targets
from engine.backups.manifest import BackupError
from engine.blobs import store
from engine.blobs.interface import Kind
from engine.database import clock, due_migrations
from engine.encryption import key_checks
from engine.health.checks import dependency_probes
from engine.health.checks.host_state import MAX_CLOCK_DIFFERENCE
from engine.management import startup_checks
from engine.transport.smart_host import smart_host
from portal.preflight.results import Result, Status, fault, ok, warning

# A difference that the clocks of two synchronised hosts do not have.
NOTABLE_SECONDS = 2.0
CONNECT_SECONDS = 5.0
TRIAL = b"postern check"
# Settings of PostgreSQL without which an acknowledged message can be lost.
DURABLE = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_write", "remote_apply"),
}


def database() -> Iterator[Result]:
    """Yields whether the database answers, is durable and migrated, and its clock."""
    try:
        clock.now()
    except DatabaseError as error:
        yield fault(
            "database",
            f"It does not answer: {error} Start it, or correct POSTERN_DATABASE_URL.",
        )
        return
    yield ok("database", f"{connection.display_name} answers.")
    yield from _durability()
    migrated = _migrations()
    yield migrated
    yield _clock()
    if migrated.status is Status.OK:
        yield from _keys()


def _keys() -> Iterator[Result]:
    """Yields whether the master keys open what is stored."""
    faults = list(key_checks.faults())
    yield from (fault("master key", one) for one in faults)
    if not faults and settings.POSTERN.encryption:
        yield ok(
            "master key",
            "It opens what is stored. Keep a copy apart from the backups: if it is "
            "lost, so is all encrypted mail.",
        )


def _durability() -> Iterator[Result]:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for name, values in DURABLE.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            [value] = cursor.fetchone()
            if value not in values:
                yield fault(
                    "database",
                    f"{name} is {value}: a crash could lose acknowledged mail. Set "
                    f"{name} = on in postgresql.conf.",
                )


def _migrations() -> Result:
    if due := due_migrations.unapplied():
        return fault("migrations", f"{due} are not applied: postern prepare")
    return ok("migrations", "All are applied.")


def _clock() -> Result:
    ahead = time.time() - clock.now().timestamp()
    direction = "ahead of" if ahead > 0 else "behind"
    detail = f"It is {abs(ahead):.1f} seconds {direction} the database's."
    if abs(ahead) > MAX_CLOCK_DIFFERENCE:
        return fault("clock", f"{detail} Set it, and run chrony on every host.")
    if abs(ahead) > NOTABLE_SECONDS:
        return warning("clock", f"{detail} Run chrony on every host.")
    return ok("clock", detail)


def shared_cache() -> Iterator[Result]:
    """Yields whether Redis answers."""
    if not settings.POSTERN.redis_url:
        if connection.vendor == "postgresql":
            yield warning(
                "cache",
                "None is configured, which is right for one host only. Set "
                "POSTERN_REDIS_URL before a second host starts.",
            )
        return
    if found := dependency_probes.cache_fault():
        yield fault(
            "cache",
            f"It does not answer: {found} Start Redis, or correct POSTERN_REDIS_URL.",
        )
    else:
        yield ok("cache", "Redis answers.")


def blob_store() -> Iterator[Result]:
    """Yields whether a blob can be written, read and deleted."""
    try:
        name = store.configured().name
        key = store.keep(Kind.BODY, TRIAL)
        try:
            is_same = store.read(Kind.BODY, key) == TRIAL
        finally:
            store.discard(Kind.BODY, key)
    except OSError as error:
        yield fault(
            "blob store",
            f"It cannot be used: {str(error).rstrip('.')}. Start it, or correct its "
            "settings.",
        )
        return
    if is_same:
        yield ok("blob store", f"{name}: a blob was written, read and deleted.")
    else:
        yield fault("blob store", f"{name} returns other octets than it was given.")


def backup_target() -> Iterator[Result]:
    """Yields whether there can be backups: their programs, and the place for them."""
    if not settings.POSTERN.backup_target:
        yield warning(
            "backups",
            "None are configured: set POSTERN_BACKUP_TARGET to a folder of another "
            "machine's disk or to a bucket.",
        )
        return
    try:
        target = targets.open_target()
        if connection.vendor == "postgresql":
            postgresql_dump.program("pg_dump")
        target.write(readme.FILE, [readme.TEXT.encode()])
        found = target.backups()
    except (BackupError, OSError) as error:
        yield warning(
            "backups", f"POSTERN_BACKUP_TARGET cannot be backed up to: {error}"
        )
        return
    newest = f", the newest {found[-1]}" if found else ""
    yield ok("backups", f"{target.name} has {len(found)} complete backups{newest}.")


def audit_checkpoints() -> Iterator[Result]:
    """Yields whether checkpoints of the audit trail go out of the database's reach."""
    file = settings.POSTERN.audit_checkpoint_file
    places = [
        file,
        *settings.POSTERN.audit_checkpoint_addresses,
        urlsplit(settings.POSTERN.audit_checkpoint_url).hostname,
    ]
    found = ", ".join(one for one in places if one)
    if not found:
        yield warning(
            "audit trail",
            "Its checkpoints stay with the service, and who runs it can rewrite both: set POSTERN_AUDIT_CHECKPOINT_FILE, POSTERN_AUDIT_CHECKPOINT_ADDRESSES "
            "or POSTERN_AUDIT_CHECKPOINT_URL.",
        )
        return
    nearest = file if Path(file).exists() else Path(file).parent
    if file and not os.access(nearest, os.W_OK):
        yield warning(
            "audit trail",
            f"POSTERN_AUDIT_CHECKPOINT_FILE, {file}, cannot be appended to.",
        )
        return
    yield ok("audit trail", f"Its checkpoints go to {found}.")


def other_hosts() -> Iterator[Result]:
    """Yields a fault where other hosts serve this database with blobs of their own."""
    try:
        others = startup_checks.hosts_with_other_blobs()
    except (DatabaseError, OSError):
        return  # the checks of the database and of the blob store report it
    if others:
        yield fault("blob store", startup_checks.OTHER_BLOBS.format(", ".join(others)))


def scanners() -> Iterator[Result]:
    """Yields for each virus scanner in which kinds of file it finds the test virus."""
    if not settings.POSTERN.clamd_targets:
        yield warning(
            "virus scanner",
            "The embedded scanner is for development only. Set POSTERN_CLAMD.",
        )
        return
    for name, one in coverage_proof.in_use().items():
        yield _scanner(name, one)


def _scanner(name: str, one: Scanner) -> Result:
    try:
        opened = coverage_proof.opened(one)
    except ScannerUnavailable as error:
        return fault(
            "virus scanner",
            f"{name}: {error.reply.text}. Start clamd, or correct POSTERN_CLAMD.",
        )
    missing = [kind for kind in coverage_proof.BASIC if kind not in opened]
    if missing:
        return fault(
            "virus scanner",
            f"{name} does not find the test virus in: {', '.join(missing)}. "
            "deploy/clamd.conf has the settings that it needs.",
        )
    if "rar" not in opened:
        return warning(
            "virus scanner",
            f"{name} does not open RAR, which is refused. Debian's non-free "
            "libclamunrar opens it.",
        )
    return ok("virus scanner", f"{name} opens every kind of archive.")


def smart_host_port() -> Iterator[Result]:
    """Yields whether the smart host for notices accepts a connection."""
    configured = settings.POSTERN.smarthost
    if not configured:
        return
    hop = smart_host(configured)
    try:
        with socket.create_connection((hop.host, hop.port), CONNECT_SECONDS):
            pass
    except OSError as error:
        yield warning(
            "smart host",
            f"{hop.host}:{hop.port} does not answer: {error}. Notices to everyday "
            "addresses wait until it does. See POSTERN_SMARTHOST.",
        )
    else:
        yield ok("smart host", f"{hop.host}:{hop.port} answers.")
