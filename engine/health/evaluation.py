"""Looks at the whole service, for whichever process has that duty."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from smtplib import SMTPException

from engine.health import (
    alarms,
    backups,
    duty,
    jobs,
    letters,
    mail,
    processes,
    rules,
    samples,
)
from engine.health.models import Heartbeat
from engine.health.situation import Finding, Look, Situation

log = logging.getLogger(__name__)

DUTY = "alarms"
# Rules that every look at processes and hosts covers.
_OF_PROCESSES = frozenset({"process_ended", *(f"{k}_missing" for k in processes.KINDS)})
OF_HOSTS = frozenset({"disk", "certificate", "clock", "scanner", "cache", "event_loop"})
MINUTE = timedelta(minutes=1)


class Evaluator:
    """Evaluates every rule once a round, and keeps what is looked at less often."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._rounds = 0
        self._held: dict[Look, list[Finding] | None] = {}
        self._minute: datetime | None = None
        self.has_duty = False
        self.letter_fault = ""

    def round(self, now: datetime, in_contact: float) -> None:
        """Look, where this process has the duty. Raises DatabaseError."""
        self.has_duty = duty.take(DUTY, self._holder, now)
        if not self.has_duty:
            self._rounds, self._held = 0, {}
            return
        situation = Situation(now, list(Heartbeat.objects.all()), in_contact)
        findings, looked = self._look(situation)
        alarms.note(findings, now, looked=looked)
        self._rounds += 1
        if self._minute is None or now - self._minute >= MINUTE:
            self._minute = now
            _each_minute(situation)

    def tell(self, now: datetime) -> None:
        """Send what the operators have not heard, in one mail. Raises DatabaseError.

        Only a process with the duty, so that there is one mail.
        """
        waiting = alarms.to_tell(now)
        if not waiting:
            return
        try:
            letters.send(waiting)
        except (OSError, SMTPException) as error:
            log.exception("alarms could not be sent, and are sent again")
            self.letter_fault = f"Alarms could not be sent: {error}"
            return
        self.letter_fault = ""
        alarms.mark_told(waiting, now)

    def _look(self, situation: Situation) -> tuple[list[Finding], set[str]]:
        """What all looks find, and the rules of those that could look."""
        findings: list[Finding] = []
        looked = {"database"}  # which has just answered
        for names, look, every in self._looks():
            if self._rounds % every == 0 or look not in self._held:
                self._held[look] = _ask(look, situation)
            found = self._held[look]
            if found is not None:
                findings += found
                looked |= names
        return findings, looked

    def _looks(self) -> Iterator[tuple[frozenset[str], Look, int]]:
        yield _OF_PROCESSES, processes.look, 1
        yield OF_HOSTS, processes.look_at_hosts, 1
        yield frozenset({"smart_host"}), self._look_at_letters, 1
        yield mail.RULES, mail.look, 6
        yield jobs.RULES, jobs.look, 6
        yield frozenset({"backup"}), backups.look, 12
        yield from rules.looks

    def _look_at_letters(self, situation: Situation) -> Iterator[Finding]:
        if self.letter_fault:
            yield Finding("smart_host", "", self.letter_fault)


def _ask(look: Look, situation: Situation) -> list[Finding] | None:
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
    letters.remember()
