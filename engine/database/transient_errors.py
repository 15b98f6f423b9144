"""Tells faults of the disk and the database, which pass, from faults of the program."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

RETRY_SECONDS = 60
SENTENCE = (
    "The service cannot keep or reach its data just now. Try again in a few minutes."
)
# What the kernel says where a disk, a quota or a file may not grow.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite has one exception for these and for a table that is not there, which is a fault
# of the program and passes with no waiting.
_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


def is_full(error: BaseException | None) -> bool:
    """True for an OSError that says that the disk is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def is_passing(error: BaseException | None) -> bool:
    """True where a full disk, or a database that is away or too slow, is behind an error."""
    return any(is_full(one) or _is_of_the_database(one) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_of_the_database(error: BaseException) -> bool:
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code is None or code & 0xFF in _SQLITE
