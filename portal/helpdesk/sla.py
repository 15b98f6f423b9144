"""Service levels: targets by priority, counted in the helpdesk's working hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.helpdesk.status import Priority
from portal.ui import helpdesk_hours

# Working time before a target from which on a ticket is shown as nearly late.
WARNING = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Target:
    """Working time until the first answer, and until the ticket is solved."""

    first_answer: timedelta
    solve: timedelta


# A working day of the helpdesk has eleven hours.
TARGETS = {
    Priority.URGENT: Target(timedelta(hours=1), timedelta(hours=4)),
    Priority.HIGH: Target(timedelta(hours=2), timedelta(hours=11)),
    Priority.NORMAL: Target(timedelta(hours=8), timedelta(hours=33)),
    Priority.LOW: Target(timedelta(hours=22), timedelta(hours=110)),
}


class Clock(StrEnum):
    """The state of a ticket's clock against its next target."""

    STOPPED = "stopped"
    DUE = "due"
    WARNING = "warning"
    BREACHED = "breached"


def state(due_at: datetime | None, now: datetime) -> Clock:
    """Returns the state for a ticket's next target; None means that the clock is stopped."""
    if due_at is None:
        return Clock.STOPPED
    if due_at <= now:
        return Clock.BREACHED
    return Clock.WARNING if due_at <= warning_until(now) else Clock.DUE


def warning_until(now: datetime) -> datetime:
    """Returns the moment before which a target is shown as nearly late."""
    return helpdesk_hours.after(now, WARNING)


def minutes_between(start: datetime, end: datetime) -> int:
    """Returns whole minutes of working time between two moments."""
    return helpdesk_hours.working_time(start, end) // MINUTE
