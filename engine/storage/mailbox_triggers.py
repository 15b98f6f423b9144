"""Starts scheduled jobs as soon as mail arrives for the mailbox that they read."""

from __future__ import annotations

from collections.abc import Callable, Collection

from engine.jobs import schedules

# Callables, because an address depends on settings, which tests change after ready().
_triggers: dict[str, Callable[[], str]] = {}


def run_on_arrival(schedule: str, address: Callable[[], str]) -> None:
    """Makes a schedule run when mail arrives for an address, in addition to its clock.

    For a package above this one whose job reads that mailbox. Call it from an AppConfig's
    ready(); calling it again changes nothing.
    """
    _triggers[schedule] = address


def start_jobs_for(addresses: Collection[str]) -> None:
    """Starts the jobs that read these addresses' mailboxes, with the caller's transaction."""
    for schedule, address in _triggers.items():
        if address() in addresses:
            schedules.start_now(schedule)
