"""What a check is given and what it yields: context, findings, and rules it cannot judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.health.models import Heartbeat


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of alarm, with the texts that people read.

    `impact` says what users notice, `remedy` what the operator should do. `public` stands
    on the status page while such an alarm is open and names no host; it is empty where
    members notice nothing.
    """

    name: str
    title: str
    impact: str
    remedy: str
    public: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken now: where (`subject`), and what was observed (`detail`)."""

    rule: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A rule that a check cannot judge now: its alarms neither open nor end.

    `subject` None stands for every subject of the rule.
    """

    rule: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What every check of a round is given. `now` is by the database's clock."""

    now: datetime
    beats: Sequence[Heartbeat]
    connected_for: float
    """Seconds for which this process has reached the database without a gap. While that
    is shorter than the time after which a beat counts as missed, the process cannot know
    which others are missing."""

    @property
    def alive(self) -> list[Heartbeat]:
        """The heartbeats of processes that are alive."""
        return [beat for beat in self.beats if beat.is_alive(self.now)]


MAX_FINDINGS = 20


def limit_findings(
    findings: Sequence[Finding], others: str
) -> Iterator[Finding | Unknown]:
    """Yields the first findings of a rule, and one that sums up all others.

    A broken network must not raise thousands of alarms. `others` completes the sentence
    "17 more {others}". Subjects that are summed up keep an alarm that they already have.
    """
    yield from findings[:MAX_FINDINGS]
    rest = findings[MAX_FINDINGS:]
    if rest:
        yield Finding(rest[0].rule, "others", f"{len(rest)} more {others}")
        yield from (Unknown(one.rule, one.subject) for one in rest)


Check = Callable[[CheckContext], Iterable[Finding | Unknown]]
