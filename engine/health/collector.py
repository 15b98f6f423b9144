"""What the database knows, for Prometheus: gauges that are found when it asks."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from engine.database import clock
from engine.health import backups, jobs, mail, processes, readiness, rules
from engine.health.gauges import gauge, one
from engine.health.mail import Destination
from engine.health.models import Alarm, Heartbeat

log = logging.getLogger(__name__)

# Destinations with a series of their own: those that have waited longest. A broken
# network must not make thousands of series.
DESTINATIONS = 50
OTHERS = "others"


class DatabaseCollector(Collector):
    """The queue, heartbeats, hosts, alarms and backups as they stand now."""

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that no query is made before Prometheus asks."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield from _cache()
        try:
            now = clock.now()
            found = [
                *_queue(now),
                *_processes(now),
                *_alarms(),
                *_backups(),
                *jobs.gauges(now),
                *(more for look in rules.gauges for more in look(now)),
            ]
        except DatabaseError:
            log.warning("the database did not answer Prometheus", exc_info=True)
            yield one("database_up", "Whether the database answers.", 0)
            return
        yield one("database_up", "Whether the database answers.", 1)
        yield from found


def _cache() -> Iterator[Metric]:
    if not settings.POSTERN.redis_url:
        return
    try:
        is_up = readiness.ask_cache() == readiness.OK
    except (RedisError, OSError):
        is_up = False
    yield one("cache_up", "Whether the shared cache answers.", float(is_up))


def _queue(now: datetime) -> Iterator[Metric]:
    found = mail.destinations(now)
    waiting = gauge(
        "queue_recipients", "Recipients that wait, by destination.", ["destination"]
    )
    oldest = gauge(
        "queue_oldest_seconds",
        "Since the oldest message that waits was accepted, by destination.",
        ["destination"],
    )
    due = gauge(
        "queue_due_seconds",
        "Since when mail for reachable destinations has been due and not tried.",
    )
    for key, count, since in _bounded(found):
        waiting.add_metric([key], count)
        oldest.add_metric([key], (now - since).total_seconds())
    due.add_metric([], _longest_due(found, now))
    yield from (waiting, oldest, due, _down(found, now))


def _down(found: Sequence[Destination], now: datetime) -> Metric:
    about = (
        "Since the oldest message was accepted that an unreachable one keeps waiting."
    )
    family = gauge("destination_down_seconds", about, ["destination"])
    for each in found[:DESTINATIONS]:
        if each.down_since is not None:
            family.add_metric([each.key], (now - each.down_since).total_seconds())
    return family


def _bounded(found: Sequence[Destination]) -> Iterator[tuple[str, int, datetime]]:
    """The destinations that have waited longest, and the others as one."""
    for kept in found[:DESTINATIONS]:
        yield kept.key, kept.waiting, kept.oldest
    rest = found[DESTINATIONS:]
    if rest:
        yield OTHERS, sum(kept.waiting for kept in rest), rest[0].oldest


def _longest_due(found: Sequence[Destination], now: datetime) -> float:
    due = [each.due_since for each in found if each.due_since and not each.is_down]
    return (now - min(due)).total_seconds() if due else 0.0


def _processes(now: datetime) -> Iterator[Metric]:
    beats = list(Heartbeat.objects.filter(stopped_at=None, lost_at=None))
    age = gauge(
        "heartbeat_age_seconds",
        "Since the last heartbeat of each process that has not ended.",
        ["kind", "process_host", "pid"],
    )
    for beat in beats:
        labels = [beat.kind, beat.host, str(beat.pid)]
        age.add_metric(labels, (now - beat.at).total_seconds())
    alive = [beat for beat in beats if beat.is_alive(now)]
    counts = Counter(beat.kind for beat in alive)
    living = gauge("processes", "Processes that live, by kind.", ["kind"])
    for kind in processes.KINDS:
        living.add_metric([kind], counts[kind])
    yield from (age, living)
    yield from _hosts({beat.host: beat for beat in alive})


_HOST_GAUGES = (
    ("disk_free", "disk_free_bytes", "Free room on the disk of POSTERN_VAR."),
    ("disk_total", "disk_size_bytes", "Size of the disk of POSTERN_VAR."),
    ("clock", "clock_difference_seconds", "How far a host is ahead of the database."),
)


def _hosts(by_host: dict[str, Heartbeat]) -> Iterator[Metric]:
    """What the processes see of their hosts. The label is not `host`, which names the
    process that counts."""
    for fact, name, about in _HOST_GAUGES:
        family = gauge(name, about, ["on_host"])
        for host, beat in by_host.items():
            if fact in beat.facts:
                family.add_metric([host], float(beat.facts[fact]))
        yield family
    ends = gauge(
        "certificate_days_left", "Days until our certificate ends.", ["on_host"]
    )
    valid = gauge("certificate_loads", "Whether it and its key load.", ["on_host"])
    scanner = gauge("scanner_up", "Whether the virus scanner answers.", ["on_host"])
    for host, beat in by_host.items():
        facts = beat.facts
        if "certificate" in facts:
            left = datetime.fromisoformat(facts["certificate"]) - beat.at
            ends.add_metric([host], left.total_seconds() / 86_400)
        valid.add_metric([host], float(not facts.get("certificate_fault")))
        scanner.add_metric([host], float(not facts.get("scanner_fault")))
    yield from (ends, valid, scanner)


def _alarms() -> Iterator[Metric]:
    counts = Counter(Alarm.objects.open().values_list("rule", flat=True))
    family = gauge("alarms_open", "Alarms that are open, by rule.", ["rule"])
    for rule in rules.everyone():
        family.add_metric([rule.name], counts[rule.name])
    yield family


def _backups() -> Iterator[Metric]:
    at = backups.last()
    if at is not None:
        about = "When the last backup was noted, in seconds since 1970."
        yield one("last_backup_timestamp_seconds", about, at.timestamp())
