"""Replaces connections whose server is gone, before anything is asked of them.

After a failover, or when a host was cut off from the network, each thread still holds a
connection to a server that is not there. Django notices when a statement fails, so that
each thread would fail one page, sign-in or message first.
"""

from __future__ import annotations

import select
from typing import Any

from django.db import close_old_connections, connection


def replace_unusable() -> None:
    """Closes this thread's connection where it is broken, dead or past CONN_MAX_AGE.

    Django opens another when one is needed. Call it between units of work only.
    """
    close_old_connections()
    close_if_dead()


def close_if_dead(**_: object) -> None:
    """Closes this thread's connection where the server has closed it or is gone.

    Does nothing within a transaction.
    """
    own: Any = connection.connection
    if connection.vendor != "postgresql" or own is None or own.closed:
        return
    if not connection.in_atomic_block and has_ended(own):
        connection.close()


def has_ended(own: Any) -> bool:
    """Returns whether the server has closed a connection of psycopg, or is gone.

    Asks the kernel alone, which takes microseconds: without a question of ours the server
    has nothing to say, so that only the end of the connection makes its socket readable.
    """
    if own.closed:
        return bool(own.broken)
    waiting = select.poll()
    waiting.register(own.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
