"""Delivery timing: retry delays, delay notices, expiry and leases. Pure functions."""

from __future__ import annotations

from datetime import timedelta

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120))
JITTER = 0.2  # of the delay, either way: a revived server meets no thundering herd

# A closed community notices an unreachable member long before RFC 5321's five days.
LIFETIME = timedelta(hours=48)
DELAY_NOTICE_AFTER = timedelta(hours=2)

# A server with the wrong certificate does not recover by itself, but its people can mend
# it: mail is tried as long as any other, and those concerned are notified soon.
TLS_FAILURES = 3
TLS_PATIENCE = timedelta(minutes=15)

# A message stays in the queue's tables for POSTERN_QUEUE_DAYS, and this long after its end.
RETENTION_AFTER_END = timedelta(days=1)

LEASE = timedelta(minutes=2)
SUSPENSION_RECHECK = timedelta(seconds=10)


def delay_after(attempts: int, chance: float) -> timedelta:
    """Returns the delay after this many attempts; `chance` in [0, 1) gives the jitter."""
    step = BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1]
    return step * (1 + JITTER * (2 * chance - 1))
