"""Looks at the whole service, for whichever process has that duty."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from smtplib import SMTPException

from engine.health import (
    alarms,
    backups,
    duty,
    hosts,
    jobs,
    letters,
    mail,
    processes,
    rules,
    samples,
)
from engine.health.models import Alarm, Heartbeat
from engine.health.situation import Finding, Look, Situation, Unknown

log = logging.getLogger(__name__)

DUTY = "alarms"
# Rules that every look at processes and hosts covers.
_OF_PROCESSES = frozenset({"process_ended", *(f"{k}_missing" for k in processes.KINDS)})
OF_HOSTS = frozenset({*hosts.RULES, "event_loop"})
MINUTE = timedelta(minutes=1)


class Evaluator:
    """Evaluates every rule once a round, and keeps what is looked at less often."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._rounds = 0
        self._held: dict[Look, list[Finding | Unknown] | None] = {}
        self._minute: datetime | None = None
        self.has_duty = False
        # None until it is known whether letters go.
        self.letter_fault: str | None = None
        self._pause = letters.Pause()
        self._unmarked: list[Alarm] = []

    def round(self, now: datetime, in_contact: float) -> None:
        """Look, where this process has the duty. Raises DatabaseError."""
        self.has_duty = duty.take(DUTY, self._holder, now)
        if not self.has_duty:
            self._rounds, self._held, self.letter_fault = 0, {}, None
            return
        situation = Situation(now, list(Heartbeat.objects.all()), in_contact)
        found = self._look(situation)
        alarms.note(found.findings, now, looked=found.looked, unknown=found.unknown)
        if "process_ended" in found.looked:
            processes.note_lost(situation)
        self._rounds += 1
        if self._minute is None or now - self._minute >= MINUTE:
            self._minute = now
            _each_minute(situation)

    def tell(self, now: datetime) -> None:
        """Send what the operators have not heard, in one mail. Raises DatabaseError.

        Only a process with the duty, so that there is one mail.
        """
        if self._unmarked:
            # Where rows cannot be written for a while, nothing is sent again.
            self._mark_told(now)
        if not self._pause.is_over(now):
            return
        waiting = alarms.to_tell(now)
        if not waiting:
            self.letter_fault = self.letter_fault or ""
            return
        try:
            letters.send(waiting)
        except (OSError, SMTPException) as error:
            log.error("alarms could not be sent, and are sent again: %s", error)
            self.letter_fault = f"Alarms could not be sent: {error}"
            self._pause.failed(now)
            return
        self.letter_fault = ""
        self._pause.ended()
        self._unmarked = waiting
        self._mark_told(now)

    def _mark_told(self, now: datetime) -> None:
        alarms.mark_told(self._unmarked, now)
        self._unmarked = []

    def _look(self, situation: Situation) -> _Found:
        """What all looks find, and the rules of which every look could look."""
        whole = _Found()
        failed = set[str]()
        for names, look, every in self._looks():
            if self._rounds % every == 0 or look not in self._held:
                self._held[look] = _ask(look, situation)
            found = self._held[look]
            whole.looked |= names
            if found is None:
                failed |= names
                continue
            for one in found:
                if isinstance(one, Finding):
                    whole.findings.append(one)
                else:
                    whole.unknown.add(one)
        whole.looked -= failed
        return whole

    def _looks(self) -> Iterator[tuple[frozenset[str], Look, int]]:
        yield _OF_PROCESSES, processes.look, 1
        yield OF_HOSTS, processes.look_at_hosts, 1
        yield frozenset({"smart_host"}), self._look_at_letters, 1
        yield mail.RULES, mail.look, 6
        yield jobs.RULES, jobs.look, 6
        yield frozenset({"backup"}), backups.look, 12
        yield from rules.looks

    def _look_at_letters(self, situation: Situation) -> Iterator[Finding | Unknown]:
        if self.letter_fault is None:
            yield Unknown("smart_host", "")
        elif self.letter_fault:
            yield Finding("smart_host", "", self.letter_fault)


@dataclass(slots=True)
class _Found:
    """What a round knows. The database, of course, has just answered."""

    findings: list[Finding] = field(default_factory=list)
    unknown: set[Unknown] = field(default_factory=set)
    looked: set[str] = field(default_factory=lambda: {"database"})


def _ask(look: Look, situation: Situation) -> list[Finding | Unknown] | None:
    """What it finds; None where it fails, which must stop no other."""
    try:
        return list(look(situation))
    except Exception:
        log.exception("%s could not look", look)
        return None


def _each_minute(situation: Situation) -> None:
    samples.take(situation)
    processes.purge(situation.now)
    alarms.purge(situation.now)
