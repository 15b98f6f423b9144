"""How many files and sockets a process may have open, and what memory it gives back."""

from __future__ import annotations

import ctypes
import logging
import resource

log = logging.getLogger(__name__)

# What an unlimited process asks for: fs.nr_open of a Linux that nobody has changed.
UNLIMITED = 1_048_576
# glibc 2.36, malloc.h.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
LARGE = 512 * 1024
# One thread of Python runs at a time, so that more arenas would save no waiting.
ARENAS = 2


def raise_open_files_limit() -> int:
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


def fit_connections(wanted: int, *, each: int, others: int, allowed: int) -> int:
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


def return_large_buffers() -> None:
    """Have buffers of half a megabyte and more go back to the system once they are freed.

    By itself glibc raises that bound to the largest that was freed so far, up to 32 MB,
    and has an arena for each thread (mallopt(3)): each that held a large message keeps
    as much. Does nothing with another C library.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
        library.mallopt(M_ARENA_MAX, ARENAS)
