"""Distinguishes transient errors of the disk and the database from errors in the program."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

# The Retry-After of a response that reports a transient error.
RETRY_SECONDS = 60
MESSAGE = (
    "The service cannot save or read data at the moment. Try again in a few minutes."
)
# The disk is full, the quota is used up, or the file may not grow.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Python raises OperationalError for these and for a missing table alike, which is an error
# in the program that no retry cures.
_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


class StorageUnavailableError(OSError):
    """A service that keeps data outside the database cannot be reached."""


def is_disk_full(error: BaseException | None) -> bool:
    """Returns whether an OSError reports that nothing more can be written."""
    return isinstance(error, OSError) and error.errno in _FULL


def is_transient(error: BaseException | None) -> bool:
    """Returns whether a full disk, or a service that is down or busy, caused an error."""
    return any(
        is_disk_full(one)
        or isinstance(one, StorageUnavailableError)
        or _is_database_unavailable(one)
        for one in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    # `raise error from error` makes a chain circular.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_database_unavailable(error: BaseException) -> bool:
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    # Without a code it is psycopg's: a lost connection, a timeout, or no resources left.
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code is None or code & 0xFF in _SQLITE
