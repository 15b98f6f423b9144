"""When to try again, when to say that it takes long, when to give up. All pure."""

from __future__ import annotations

from datetime import datetime, timedelta

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120))
JITTER = 0.2  # of the delay, either way: a revived server meets no thundering herd

# A closed community notices an unreachable member long before RFC 5321's five days.
LIFETIME = timedelta(hours=48)
DELAY_NOTICE_AFTER = timedelta(hours=2)

# A server that shows the wrong certificate does not mend itself: tell the sender soon.
TLS_FAILURES = 3
TLS_PATIENCE = timedelta(minutes=15)

# A message stays in the queue's tables for POSTERN_QUEUE_DAYS, and so long after its end.
RETENTION_AFTER_END = timedelta(days=1)

LEASE = timedelta(minutes=2)
SUSPENSION_RECHECK = timedelta(seconds=10)


def delay_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after that many attempts; `chance` in [0, 1) is the jitter."""
    step = BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1]
    return step * (1 + JITTER * (2 * chance - 1))


def gives_up_on_tls(failures: int, since: datetime, now: datetime) -> bool:
    """True when so many TLS or certificate failures in a row, the first of them at that
    moment, are no passing fault."""
    return failures >= TLS_FAILURES and now - since >= TLS_PATIENCE
