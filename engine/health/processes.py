"""Heartbeats: every process says that it lives, and what is missing is found."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from engine.health.hosts import Facts, faults, unknown
from engine.health.identity import Identity
from engine.health.models import MISSING, Heartbeat
from engine.health.situation import Finding, Situation, Unknown

KINDS = ("engine", "web", "worker")
# A whole service that starts: its processes come one after another.
STARTING = 45.0
# From a goodbye to the first beat of what takes its place.
RESTARTING = timedelta(seconds=STARTING)
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


def look(situation: Situation) -> Iterator[Finding | Unknown]:
    """Processes that ended without a goodbye, and kinds of which none lives.

    One that was replaced meanwhile is found until `note_lost`, so that it is told.
    """
    if _is_judge(situation):
        yield from _ended(situation)
    else:
        yield Unknown("process_ended")
    alive = {beat.kind for beat in situation.alive}
    for kind in KINDS:
        if kind in alive:
            continue
        if situation.in_contact >= STARTING:
            yield Finding(f"{kind}_missing")
        else:
            yield Unknown(f"{kind}_missing")


def _is_judge(situation: Situation) -> bool:
    """Whether a process that lives would have been heard by now."""
    return situation.in_contact >= MISSING.total_seconds()


def note_lost(situation: Situation) -> None:
    """Note that the end of processes is known, once alarms hold it: not before, or a
    fault between the two would hide the end of those that were replaced."""
    if _is_judge(situation):
        Heartbeat.objects.filter(
            pk__in=[
                one.pk
                for one in situation.beats
                if _is_lost(one, situation.now) and one.lost_at is None
            ]
        ).update(lost_at=situation.now)


def _ended(situation: Situation) -> Iterator[Finding]:
    groups: defaultdict[tuple[str, str], list[Heartbeat]] = defaultdict(list)
    for one in situation.beats:
        groups[one.kind, one.host].append(one)
    for (kind, host), beats in groups.items():
        lost = [one for one in beats if _is_lost(one, situation.now)]
        standing = not_replaced(beats, situation.now)
        shown = {*standing, *(one for one in lost if one.lost_at is None)}
        if shown:
            said = ", ".join(
                f"{one.pid}, last heard at {one.at:%H:%M:%S}"
                for one in sorted(shown, key=lambda one: one.at)
            )
            yield Finding("process_ended", f"{kind} on {host}", f"Process {said}.")


def _is_lost(beat: Heartbeat, now: datetime) -> bool:
    return beat.stopped_at is None and not beat.is_alive(now)


def not_replaced(beats: Sequence[Heartbeat], now: datetime) -> list[Heartbeat]:
    """Of the processes of one kind on one host, those that were lost without another
    being started since. A replacement that ends is the one to be replaced then, not the
    process before it."""
    lost = sorted((b for b in beats if _is_lost(b, now)), key=lambda one: one.at)
    started = deque(sorted(beats, key=lambda one: one.started_at))
    standing = []
    for one in lost:
        while started and started[0].started_at <= one.at:
            started.popleft()
        if started:
            started.popleft()
        else:
            standing.append(one)
    return standing


def look_at_hosts(situation: Situation) -> Iterator[Finding | Unknown]:
    """What is wrong with hosts, by what their living processes see.

    What was wrong with a host that is silent, or restarts, may be so still.
    """
    seen: defaultdict[str, list[Facts]] = defaultdict(list)
    for one in situation.beats:
        if one.is_alive(situation.now):
            seen[one.host].append(one.facts)
        elif one.stopped_at is None or one.stopped_at > situation.now - RESTARTING:
            seen[one.host] += []
    for host, by_process in seen.items():
        yield from unknown(host, by_process)
    if not _is_judge(situation):
        yield Unknown("event_loop")
    for beat in situation.alive:
        facts: Facts = beat.facts
        yield from faults(beat.host, facts, situation.now)
        lag = facts.get("loop_lag", 0.0)
        if lag > LAG_SECONDS:
            said = f"Its event loop was {lag:.1f} seconds late."
            yield Finding("event_loop", str(beat), said)
