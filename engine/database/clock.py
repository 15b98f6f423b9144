"""The time that all processes and hosts agree on: the database's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from engine.database import statements

# SQLite truncates to milliseconds (sqlite.org/lang_datefunc.html). One is added, so that a
# time written a moment ago to the microsecond is never in the future.
SQLITE = "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"
SQLITE_STEP = timedelta(milliseconds=1)
# now() would be the time at which the transaction began.
POSTGRESQL = "SELECT clock_timestamp()"

# Seconds between this process's monotonic clock and the database's, when that was last
# asked. Unlike the wall clock, the monotonic one does not move when the host's is set.
_offset: float | None = None


def now() -> datetime:
    """Returns the database's time, in UTC. One query; raises DatabaseError.

    Leases, schedules and limits that processes share are written and compared by it. The
    clocks of hosts differ, and a host that is five minutes ahead would take over work
    that another is still doing.
    """
    global _offset
    is_sqlite = connection.vendor == "sqlite"
    [[moment]] = statements.fetch(SQLITE if is_sqlite else POSTGRESQL)
    if is_sqlite:
        moment = datetime.fromisoformat(moment).replace(tzinfo=UTC) + SQLITE_STEP
    found: datetime = moment
    _offset = found.timestamp() - time.monotonic()
    return found


def estimated_now() -> datetime:
    """Returns the database's time as extrapolated since the last now(), without a query.

    For timestamps on the path of every message. The first call in a process asks the
    database.
    """
    if _offset is None:
        return now()
    return datetime.fromtimestamp(estimated_timestamp(), UTC)


def estimated_timestamp() -> float:
    """Returns the extrapolated time in seconds since 1970, always without a query.

    For checks at every command of a session. Uses this host's clock until the process
    has asked the database.
    """
    return time.time() if _offset is None else _offset + time.monotonic()
