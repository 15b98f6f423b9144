"""Clock is in charge of the time that every process and host agrees on: the database's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

# SQLite's own clock has whole milliseconds (sqlite.org/lang_datefunc.html). Rounded up,
# so that what was written a moment ago, to the microsecond, is never in the future.
SQLITE = "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"
SQLITE_STEP = timedelta(milliseconds=1)
# The time of this call; now() would be that of the transaction's begin.
POSTGRESQL = "SELECT clock_timestamp()"

# Seconds by which the database's clock was ahead of this process's monotonic one when it
# was last asked. Monotonic: setting the host's clock moves nothing.
_ahead: float | None = None


def now() -> datetime:
    """The time by the database's clock, in UTC. One query.

    Leases, schedules and limits that processes share are written and compared by it:
    clocks of hosts differ, and a host that is five minutes ahead would take over work
    that another still does. Raises DatabaseError.
    """
    global _ahead
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(SQLITE if is_sqlite else POSTGRESQL)
        [moment] = cursor.fetchone()
    if is_sqlite:
        moment = datetime.fromisoformat(moment).replace(tzinfo=UTC) + SQLITE_STEP
    found: datetime = moment
    _ahead = found.timestamp() - time.monotonic()
    return found


def lately() -> datetime:
    """The same as now() last said and running on since. No query, but the first time.

    For what is stamped in numbers, on the path of every message.
    """
    return now() if _ahead is None else datetime.fromtimestamp(held(), UTC)


def held() -> float:
    """The same in seconds since 1970, as now() last said and running on since: no query.

    For what every command of a session looks at. This host's own clock, where this
    process never asked.
    """
    return time.time() if _ahead is None else _ahead + time.monotonic()
