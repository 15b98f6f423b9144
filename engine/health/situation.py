"""What rules look at, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.health.models import Heartbeat


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of alarm, in words.

    `public` is what everybody reads on the status page while it lasts, and says nothing
    of hosts; empty where members feel nothing of it.
    """

    name: str
    title: str
    matters: str
    remedy: str
    public: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken now: where, and what was seen."""

    rule: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a look cannot judge now: its alarms stay as they are, neither raised nor over.

    Without a subject, the rule wherever it is broken.
    """

    rule: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What the evaluating process knows. `now` is by the database's clock."""

    now: datetime
    beats: Sequence[Heartbeat]
    in_contact: float
    """Seconds since when this process has heard the database without a gap. Shorter
    than a beat takes to be missed, it cannot know who is missing."""

    @property
    def alive(self) -> list[Heartbeat]:
        return [beat for beat in self.beats if beat.is_alive(self.now)]


MOST = 20


def fold(findings: Sequence[Finding], others: str) -> Iterator[Finding | Unknown]:
    """The first few findings of a rule by themselves, and all others as one.

    A broken network must not make thousands of alarms. `others` says what those are, as
    in "17 more {others}". Those that had an alarm of their own keep it.
    """
    yield from findings[:MOST]
    rest = findings[MOST:]
    if rest:
        yield Finding(rest[0].rule, "others", f"{len(rest)} more {others}")
        yield from (Unknown(one.rule, one.subject) for one in rest)


Look = Callable[[Situation], Iterable[Finding | Unknown]]
