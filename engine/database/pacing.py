"""Spreads long work over time, so that mail and people beside it notice little of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# Seconds of rest for each second of work.
REST = 1.5
# Seconds of rest that are worth a sleep: each costs a switch of processes.
LEAST_REST = 0.001


class _Pace:
    """Counts the work since the last rest, here and in the database."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def rest(self) -> None:
        """Rests as long as the work asks for; leaves a short rest for later."""
        owed = (time.perf_counter() - self._since) * REST
        if owed >= LEAST_REST:
            time.sleep(owed)
            self._since = time.perf_counter()

    def after(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        """Rests after a statement: Django's `execute_wrapper` calls this instead of it."""
        result = execute(sql, params, many, context)
        self.rest()
        return result


@contextmanager
def paced() -> Iterator[None]:
    """Rests while the block works, and for longer than it works.

    On PostgreSQL after each statement: what works for a hundredth of a second at a time
    holds up a message for as long, on a machine with few processors. SQLite has a single
    writer, which a transaction must not keep waiting: there the rest comes at the end.
    """
    pace = _Pace()
    if connection.vendor == "postgresql":
        with connection.execute_wrapper(pace.after):
            yield
    else:
        yield
        pace.rest()
