"""Evaluates the whole service in rounds, in the one process that is the leader."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from smtplib import SMTPException

from engine.health import leader_lease
from engine.health.alarms import alarm_lifecycle, notification_mail
from engine.health.checks import (
    alarm_rules,
    audit_trail,
    background_jobs,
    backups,
    host_state,
    mail_flow,
    mail_signing,
    process_heartbeats,
)
from engine.health.checks.findings import Check, CheckContext, Finding, Unknown
from engine.health.metrics import minute_samples
from engine.health.models import Alarm, Heartbeat

log = logging.getLogger(__name__)

# The name of the lease in the database.
DUTY = "alarms"
PROCESS_RULES = frozenset(
    {"process_ended", *(f"{kind}_missing" for kind in process_heartbeats.KINDS)}
)
HOST_RULES = frozenset({*host_state.RULES, "event_loop"})
MINUTE = timedelta(minutes=1)


class Evaluator:
    """Runs the checks, keeps the findings of those that run less often, sends mail.

    Two threads use it: one calls `run_round`, the other `send_notifications`.
    """

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._rounds = 0
        self._results: dict[Check, list[Finding | Unknown] | None] = {}
        self._minute: datetime | None = None
        self.is_leader = False
        # None until the first attempt shows whether mail about alarms can be sent.
        self.mail_fault: str | None = None
        self._delay = notification_mail.RetryDelay()
        self._sent_unrecorded: list[Alarm] = []

    def run_round(self, now: datetime, connected_for: float) -> None:
        """Checks the service, if this process is the leader. Raises DatabaseError.

        `connected_for`: see CheckContext.
        """
        self.is_leader = leader_lease.acquire(DUTY, self._holder, now)
        if not self.is_leader:
            self._rounds, self._results, self.mail_fault = 0, {}, None
            return
        context = CheckContext(now, list(Heartbeat.objects.all()), connected_for)
        found = self._check(context)
        alarm_lifecycle.record_findings(
            found.findings, now, checked=found.checked, unknown=found.unknown
        )
        if "process_ended" in found.checked:
            process_heartbeats.mark_lost(context)
        self._rounds += 1
        if self._minute is None or now - self._minute >= MINUTE:
            self._minute = now
            _each_minute(context)

    def send_notifications(self, now: datetime) -> None:
        """Sends one mail about all alarms that need a notification. Raises DatabaseError.

        Call it in the leader only, so that operators get one mail.
        """
        if self._sent_unrecorded:
            # The mail was sent, and the database failed before that was recorded.
            self._mark_notified(now)
        if not self._delay.is_over(now):
            return
        waiting = alarm_lifecycle.awaiting_notification(now)
        if not waiting:
            self.mail_fault = self.mail_fault or ""
            return
        try:
            notification_mail.send(waiting)
        except (OSError, SMTPException) as error:
            log.error(
                "a mail about alarms could not be sent, and is retried: %s", error
            )
            self.mail_fault = f"Mail about alarms could not be sent: {error}"
            self._delay.failed(now)
            return
        self.mail_fault = ""
        self._delay.succeeded()
        self._sent_unrecorded = waiting
        self._mark_notified(now)

    def _mark_notified(self, now: datetime) -> None:
        alarm_lifecycle.mark_notified(self._sent_unrecorded, now)
        self._sent_unrecorded = []

    def _check(self, context: CheckContext) -> _Result:
        """Runs the checks that are due in this round, and merges all results.

        A rule of two checks counts as checked only if both of them succeeded.
        """
        merged = _Result()
        failed = set[str]()
        for names, check, every in self._checks():
            if self._rounds % every == 0 or check not in self._results:
                self._results[check] = _run(check, context)
            found = self._results[check]
            merged.checked |= names
            if found is None:
                failed |= names
                continue
            for one in found:
                if isinstance(one, Finding):
                    merged.findings.append(one)
                else:
                    merged.unknown.add(one)
        merged.checked -= failed
        return merged

    def _checks(self) -> Iterator[tuple[frozenset[str], Check, int]]:
        """Yields the rules of each check, the check, and every which round it runs."""
        yield PROCESS_RULES, process_heartbeats.check, 1
        yield HOST_RULES, process_heartbeats.check_hosts, 1
        yield frozenset({"smart_host"}), self._check_mail, 1
        yield mail_flow.RULES, mail_flow.check, 3
        yield background_jobs.RULES, background_jobs.check, 6
        yield frozenset({"backup"}), backups.check, 12
        yield audit_trail.RULES, audit_trail.check, 3
        yield mail_signing.RULES, mail_signing.check, 6
        yield from alarm_rules.checks

    def _check_mail(self, context: CheckContext) -> Iterator[Finding | Unknown]:
        if self.mail_fault is None:
            yield Unknown("smart_host", "")
        elif self.mail_fault:
            yield Finding("smart_host", "", self.mail_fault)


@dataclass(slots=True)
class _Result:
    """The merged results of a round.

    "database" is always checked and never found: the round itself needs the database.
    """

    findings: list[Finding] = field(default_factory=list)
    unknown: set[Unknown] = field(default_factory=set)
    checked: set[str] = field(default_factory=lambda: {"database"})


def _run(check: Check, context: CheckContext) -> list[Finding | Unknown] | None:
    """Returns what a check yields; None if it raises, which must not stop the others."""
    try:
        return list(check(context))
    except Exception:
        log.exception("the check %s failed; its alarms stay as they are", check)
        return None


def _each_minute(context: CheckContext) -> None:
    minute_samples.record(context)
    process_heartbeats.purge(context.now)
    alarm_lifecycle.purge(context.now)
