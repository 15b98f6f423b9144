"""Looks, before a process serves, at what the environment alone does not say.

In production only, and besides what portal.production finds in the settings: whether the
scanner answers and opens what it must, and whether other hosts share this database without
a shared cache.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from engine.antivirus import clamd, proof

log = logging.getLogger(__name__)

# What portal.database calls our connections, with the host's name behind it.
OURS = "postern@"
OTHERS = """
    SELECT DISTINCT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE %s
    AND application_name <> current_setting('application_name')
    AND current_setting('application_name') LIKE %s
"""


def check(*, scans: bool) -> None:
    """Log what is odd. Raises ImproperlyConfigured with every fault at once.

    `scans` says that this process accepts mail, and has it scanned.
    """
    if settings.POSTERN.env != "production":
        return
    for warning in warnings():
        log.warning(warning)
    faults = list(_faults_of_hosts())
    if scans:
        _log_silent_scanners()
        faults += proof.faults()
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ImproperlyConfigured(f"Postern does not start:\n{lines}")


def warnings() -> Iterator[str]:
    """What may be meant, and is more often forgotten."""
    ours = settings.POSTERN
    if _is_loopback(ours.smtp_host):
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
    if settings.POSTERN.redis_url or connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(OTHERS, [f"{OURS}%", f"{OURS}%"])
        others = sorted(name.removeprefix(OURS) for (name,) in cursor.fetchall())
    if others:
        yield (
            f"Other hosts ({', '.join(others)}) serve the same database, and each would "
            "keep limits of its own. Set POSTERN_REDIS_URL on all of them."
        )


def _log_silent_scanners() -> None:
    """A scanner that is away stops no start: POP3 and what waits in the queue need none,
    mail is deferred until it is back, and an alarm says so meanwhile."""
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
