"""Limits of a process: its open files, and the memory that it holds on to."""

from __future__ import annotations

import ctypes
import gc
import logging
import resource

log = logging.getLogger(__name__)

# Requested where the hard limit is infinite: the default of fs.nr_open in Linux.
UNLIMITED = 1_048_576
# Parameters of mallopt(3), from malloc.h of glibc 2.36.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
LARGE_BUFFER = 512 * 1024
# Arenas save threads from waiting for each other, and only one thread of Python runs at a
# time.
MALLOC_ARENAS = 2


def keep_what_is_imported() -> None:
    """Leaves what exists now out of garbage collection, which then looks more often.

    For a process that has imported all its modules and begins to serve. Its forks share
    the memory of what no collection touches.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def raise_open_files_limit() -> int:
    """Raises the soft limit of open files to the hard limit, and returns it.

    systemd and login shells set a soft limit of 1,024 for the sake of programs that call
    select(). The hard limit is what the administrator of the machine allows.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = UNLIMITED if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft if soft != resource.RLIM_INFINITY else UNLIMITED
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        log.warning("the limit on open files cannot be raised from %s: %s", soft, error)
        return soft
    return wanted


def fit_connections(wanted: int, *, each: int, others: int, allowed: int) -> int:
    """Returns how many connections are possible, at most `wanted` and at least one.

    `each` is the number of open files of one connection, `others` that of everything else
    and `allowed` the limit. Logs a warning where fewer than wanted are possible: a process
    that runs out of descriptors cannot accept any connection.
    """
    possible = max((allowed - others) // each, 1)
    if possible >= wanted:
        return wanted
    log.warning(
        "the limit of %s open files allows %s connections instead of %s; "
        "raise it (LimitNOFILE= in a systemd unit)",
        allowed,
        possible,
        wanted,
    )
    return possible


def return_large_buffers() -> None:
    """Makes malloc return buffers of half a megabyte or more to the system when freed.

    By default glibc raises that threshold to the largest buffer freed so far, up to 32 MB,
    and gives threads arenas of their own (mallopt(3)), so that each thread that once held
    a large message keeps as much memory. Does nothing with another C library.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER)
        library.mallopt(M_ARENA_MAX, MALLOC_ARENAS)
