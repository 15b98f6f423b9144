"""Descriptors is in charge of how many files and sockets a process may have open."""

from __future__ import annotations

import logging
import resource

log = logging.getLogger(__name__)

# What an unlimited process asks for: fs.nr_open of a Linux that nobody has changed.
UNLIMITED = 1_048_576


def raise_limit() -> int:
    """Raise the process's limit to the highest that it may have, and return it.

    Systemd and login shells give 1,024, which suits programs that call select(); the
    hard limit beside it is what the machine's administrator allows.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = UNLIMITED if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft if soft != resource.RLIM_INFINITY else UNLIMITED
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        log.warning("the limit of open files stays at %s: %s", soft, error)
        return soft
    return wanted


def fit(wanted: int, *, each: int, others: int, allowed: int) -> int:
    """How many of the connections `wanted` there may be, with `each` so many open files.

    `others` is what the process needs for everything else. Logs a warning where there
    are too few: a process without a free descriptor hears nobody at all.
    """
    possible = max((allowed - others) // each, 1)
    if possible >= wanted:
        return wanted
    log.warning(
        "open files are limited to %s, so that %s connections are taken instead of %s; "
        "raise the limit (LimitNOFILE= in a systemd unit)",
        allowed,
        possible,
        wanted,
    )
    return possible
