"""Heartbeats: every process says that it lives, and what is missing is found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from engine.health.hosts import Facts, faults
from engine.health.identity import Identity
from engine.health.models import MISSING, Heartbeat
from engine.health.situation import Finding, Situation

KINDS = ("engine", "web", "worker")
# A whole service that starts: its processes come one after another.
STARTING = 45.0
# Of processes that ended, for the page.
KEPT = timedelta(days=1)
LAG_SECONDS = 2.0


def beat(me: Identity, row_id: int | None, facts: Facts, now: datetime) -> int:
    """Say that this process lives, and return the row that says so: one of its own.

    Numbers of processes come again, in a container that restarts even the same one.
    """
    if row_id is not None:
        mine = Heartbeat.objects.filter(pk=row_id)
        if mine.update(at=now, facts=facts, lost_at=None):
            return row_id
    made = Heartbeat.objects.create(
        kind=me.kind, host=me.host, pid=me.pid, started_at=now, at=now, facts=facts
    )
    return int(made.pk)


def say_goodbye(row_id: int, now: datetime) -> None:
    """The process ends in order."""
    Heartbeat.objects.filter(pk=row_id).update(stopped_at=now)


def purge(now: datetime) -> None:
    """Forget processes that ended long ago."""
    ended = Q(stopped_at__lt=now - KEPT) | Q(lost_at__lt=now - KEPT)
    Heartbeat.objects.filter(ended).delete()


def look(situation: Situation) -> Iterator[Finding]:
    """Processes that ended without a goodbye, and kinds of which none lives.

    One that was replaced meanwhile is found once, so that it is told.
    """
    if situation.in_contact < MISSING.total_seconds():
        return
    yield from _ended(situation)
    alive = {beat.kind for beat in situation.alive}
    if situation.in_contact >= STARTING:
        for kind in KINDS:
            if kind not in alive:
                yield Finding(f"{kind}_missing")


def _ended(situation: Situation) -> Iterator[Finding]:
    groups: defaultdict[tuple[str, str], list[Heartbeat]] = defaultdict(list)
    for one in situation.beats:
        groups[one.kind, one.host].append(one)
    fresh = []
    for (kind, host), beats in groups.items():
        lost = [one for one in beats if _is_lost(one, situation.now)]
        standing = not_replaced(beats, situation.now)
        shown = {*standing, *(one for one in lost if one.lost_at is None)}
        fresh += [one.pk for one in lost if one.lost_at is None]
        if shown:
            said = ", ".join(
                f"{one.pid}, last heard at {one.at:%H:%M:%S}"
                for one in sorted(shown, key=lambda one: one.at)
            )
            yield Finding("process_ended", f"{kind} on {host}", f"Process {said}.")
    if fresh:
        Heartbeat.objects.filter(pk__in=fresh).update(lost_at=situation.now)


def _is_lost(beat: Heartbeat, now: datetime) -> bool:
    return beat.stopped_at is None and not beat.is_alive(now)


def not_replaced(beats: Sequence[Heartbeat], now: datetime) -> list[Heartbeat]:
    """Of the processes of one kind on one host, those that were lost and for whom none
    has started since."""
    started = [one.started_at for one in beats if one.is_alive(now)]
    replacements = sorted(started, reverse=True)
    lost = [one for one in beats if _is_lost(one, now)]
    standing = []
    for one in sorted(lost, key=lambda one: one.at, reverse=True):
        if replacements and replacements[0] > one.at:
            replacements.pop(0)
        else:
            standing.append(one)
    return standing


def look_at_hosts(situation: Situation) -> Iterator[Finding]:
    """What is wrong with hosts, by what their living processes see."""
    for beat in situation.alive:
        facts: Facts = beat.facts
        yield from faults(beat.host, facts, situation.now)
        lag = facts.get("loop_lag", 0.0)
        if lag > LAG_SECONDS:
            said = f"Its event loop was {lag:.1f} seconds late."
            yield Finding("event_loop", str(beat), said)
