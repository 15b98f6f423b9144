"""Heartbeats: each process records that it is alive, and checks find those that are not."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from engine.health.checks import host_state
from engine.health.checks.findings import CheckContext, Finding, Unknown
from engine.health.checks.host_state import Facts
from engine.health.models import MISSING, Heartbeat
from engine.health.process_identity import Identity

KINDS = ("engine", "web", "worker")
# When the whole service starts, its processes come up one after another.
STARTING = 45.0
# From the orderly end of a process to the first beat of its successor.
RESTARTING = timedelta(seconds=STARTING)
# Processes that ended stay on the Health page for so long.
KEPT = timedelta(days=1)
LAG_SECONDS = 2.0


def beat(me: Identity, row_id: int | None, facts: Facts, now: datetime) -> int:
    """Records that this process is alive, and returns the id of its row.

    Pass None at first, and the returned id from then on. Process ids are no key, because
    the process of a restarted container even gets the same one again.
    """
    if row_id is not None:
        mine = Heartbeat.objects.filter(pk=row_id)
        if mine.update(at=now, facts=facts, lost_at=None):
            return row_id
    made = Heartbeat.objects.create(
        kind=me.kind, host=me.host, pid=me.pid, started_at=now, at=now, facts=facts
    )
    return int(made.pk)


def record_stop(row_id: int, now: datetime) -> None:
    """Records that the process ends in order, so that it is not missed."""
    Heartbeat.objects.filter(pk=row_id).update(stopped_at=now)


def purge(now: datetime) -> None:
    """Deletes the rows of processes that ended more than a day ago."""
    ended = Q(stopped_at__lt=now - KEPT) | Q(lost_at__lt=now - KEPT)
    Heartbeat.objects.filter(ended).delete()


def check(context: CheckContext) -> Iterator[Finding | Unknown]:
    """Yields processes that ended unexpectedly, and kinds without a living process.

    A process that was replaced in the meantime is found until `mark_lost`, so that
    operators are notified of it too.
    """
    if _can_judge(context):
        yield from _ended(context)
    else:
        yield Unknown("process_ended")
    alive = {beat.kind for beat in context.alive}
    for kind in KINDS:
        if kind in alive:
            continue
        if context.connected_for >= STARTING:
            yield Finding(f"{kind}_missing")
        else:
            yield Unknown(f"{kind}_missing")


def _can_judge(context: CheckContext) -> bool:
    """Whether every living process has had time to beat since the database answers."""
    return context.connected_for >= MISSING.total_seconds()


def mark_lost(context: CheckContext) -> None:
    """Records that the end of processes is known.

    Call it once the alarms are saved. If it came first, a fault between the two would
    hide the end of processes that were replaced.
    """
    if _can_judge(context):
        Heartbeat.objects.filter(
            pk__in=[
                one.pk
                for one in context.beats
                if _is_lost(one, context.now) and one.lost_at is None
            ]
        ).update(lost_at=context.now)


def _ended(context: CheckContext) -> Iterator[Finding]:
    groups: defaultdict[tuple[str, str], list[Heartbeat]] = defaultdict(list)
    for one in context.beats:
        groups[one.kind, one.host].append(one)
    for (kind, host), beats in groups.items():
        lost = [one for one in beats if _is_lost(one, context.now)]
        missing = not_replaced(beats, context.now)
        shown = {*missing, *(one for one in lost if one.lost_at is None)}
        if shown:
            named = ", ".join(
                f"{one.pid}, last heartbeat at {one.at:%H:%M:%S}"
                for one in sorted(shown, key=lambda one: one.at)
            )
            yield Finding("process_ended", f"{kind} on {host}", f"Process {named}.")


def _is_lost(beat: Heartbeat, now: datetime) -> bool:
    return beat.stopped_at is None and not beat.is_alive(now)


def not_replaced(beats: Sequence[Heartbeat], now: datetime) -> list[Heartbeat]:
    """Returns the lost processes for which none was started since.

    `beats` are the processes of one kind on one host. Each start replaces one lost
    process; if the replacement ends too, it is the one that is missing.
    """
    lost = sorted((b for b in beats if _is_lost(b, now)), key=lambda one: one.at)
    started = deque(sorted(beats, key=lambda one: one.started_at))
    missing = []
    for one in lost:
        while started and started[0].started_at <= one.at:
            started.popleft()
        if started:
            started.popleft()
        else:
            missing.append(one)
    return missing


def check_hosts(context: CheckContext) -> Iterator[Finding | Unknown]:
    """Yields what is wrong with hosts, by the facts that their living processes observed.

    The rules of a host that is silent or restarts are unknown: a fault may persist.
    """
    seen: defaultdict[str, list[Facts]] = defaultdict(list)
    for one in context.beats:
        if one.is_alive(context.now):
            seen[one.host].append(one.facts)
        elif one.stopped_at is None or one.stopped_at > context.now - RESTARTING:
            seen[one.host] += []
    for host, by_process in seen.items():
        yield from host_state.unknown(host, by_process)
    if not _can_judge(context):
        yield Unknown("event_loop")
    for beat in context.alive:
        facts: Facts = beat.facts
        yield from host_state.findings(beat.host, facts, context.now)
        lag = facts.get("loop_lag", 0.0)
        if lag > LAG_SECONDS:
            detail = f"Its event loop was {lag:.1f} seconds late."
            yield Finding("event_loop", str(beat), detail)
