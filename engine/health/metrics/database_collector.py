"""Collects gauges from the database when Prometheus scrapes: queue, processes, alarms."""

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
from engine.health import readiness
from engine.health.checks import alarm_rules, backups, mail_flow, process_heartbeats
from engine.health.checks.mail_flow import Destination
from engine.health.metrics import gauges
from engine.health.metrics.gauges import gauge, single
from engine.health.models import Alarm, Heartbeat
from engine.jobs import backlog
from engine.jobs.models import JobRun

log = logging.getLogger(__name__)

# The destinations that have waited longest have a series each. A broken network must not
# make thousands of series, each of which Prometheus keeps in memory.
MAX_DESTINATIONS = 50
OTHERS = "others"


class DatabaseCollector(Collector):
    """Yields the queue, heartbeats, hosts, alarms, jobs and backups as they are now."""

    def describe(self) -> Iterable[Metric]:
        """Returns nothing, so that registering the collector makes no query."""
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
                *_jobs(now),
                *gauges.registered(now),
            ]
        except DatabaseError:
            log.warning(
                "the database did not answer a scrape of metrics", exc_info=True
            )
            yield single("database_up", "Whether the database answers.", 0)
            return
        yield single("database_up", "Whether the database answers.", 1)
        yield from found


def _cache() -> Iterator[Metric]:
    if not settings.POSTERN.redis_url:
        return
    try:
        is_up = readiness.ping_cache() == readiness.OK
    except (RedisError, OSError):
        is_up = False
    yield single("cache_up", "Whether the shared cache answers.", float(is_up))


def _queue(now: datetime) -> Iterator[Metric]:
    found = mail_flow.destinations(now)
    waiting = gauge(
        "queue_recipients", "Recipients that wait, by destination.", ["destination"]
    )
    oldest = gauge(
        "queue_oldest_seconds",
        "Seconds since the oldest waiting message was accepted, by destination.",
        ["destination"],
    )
    due = gauge(
        "queue_due_seconds",
        "Seconds for which mail for reachable destinations has been due.",
    )
    for key, count, since in _bounded(found):
        waiting.add_metric([key], count)
        oldest.add_metric([key], (now - since).total_seconds())
    due.add_metric([], _longest_due(found, now))
    yield from (waiting, oldest, due, _down(found, now))


def _down(found: Sequence[Destination], now: datetime) -> Metric:
    family = gauge(
        "destination_down_seconds",
        "Seconds since the oldest message for an unreachable destination was accepted.",
        ["destination"],
    )
    for each in found[:MAX_DESTINATIONS]:
        if each.down_since is not None:
            family.add_metric([each.key], (now - each.down_since).total_seconds())
    return family


def _bounded(found: Sequence[Destination]) -> Iterator[tuple[str, int, datetime]]:
    """Yields the destinations that have waited longest, and one for all others."""
    for kept in found[:MAX_DESTINATIONS]:
        yield kept.key, kept.waiting, kept.oldest
    rest = found[MAX_DESTINATIONS:]
    if rest:
        yield OTHERS, sum(kept.waiting for kept in rest), rest[0].oldest


def _longest_due(found: Sequence[Destination], now: datetime) -> float:
    due = [each.due_since for each in found if each.due_since and not each.is_down]
    return (now - min(due)).total_seconds() if due else 0.0


def _processes(now: datetime) -> Iterator[Metric]:
    beats = list(Heartbeat.objects.filter(stopped_at=None, lost_at=None))
    age = gauge(
        "heartbeat_age_seconds",
        "Seconds since the last heartbeat of each process that has not ended.",
        ["kind", "process_host", "pid"],
    )
    for beat in beats:
        labels = [beat.kind, beat.host, str(beat.pid)]
        age.add_metric(labels, (now - beat.at).total_seconds())
    alive = [beat for beat in beats if beat.is_alive(now)]
    counts = Counter(beat.kind for beat in alive)
    living = gauge("processes", "Processes that are alive, by kind.", ["kind"])
    for kind in process_heartbeats.KINDS:
        living.add_metric([kind], counts[kind])
    yield from (age, living)
    yield from _hosts({beat.host: beat for beat in alive})


_HOST_GAUGES = (
    ("disk_free", "disk_free_bytes", "Free octets on the disk of POSTERN_VAR."),
    ("disk_total", "disk_size_bytes", "Size of the disk of POSTERN_VAR, in octets."),
    (
        "clock",
        "clock_difference_seconds",
        "Seconds by which a host's clock is ahead of the database's.",
    ),
)


def _hosts(by_host: dict[str, Heartbeat]) -> Iterator[Metric]:
    """Yields what processes observed of their hosts.

    The label is `on_host`: `host` names the process that was scraped.
    """
    for fact, name, about in _HOST_GAUGES:
        family = gauge(name, about, ["on_host"])
        for host, beat in by_host.items():
            if fact in beat.facts:
                family.add_metric([host], float(beat.facts[fact]))
        yield family
    days = gauge(
        "certificate_days_left", "Days until the certificate expires.", ["on_host"]
    )
    valid = gauge(
        "certificate_loads", "Whether the certificate and its key load.", ["on_host"]
    )
    scanner = gauge("scanner_up", "Whether the virus scanner answers.", ["on_host"])
    for host, beat in by_host.items():
        facts = beat.facts
        if "certificate" in facts:
            left = datetime.fromisoformat(facts["certificate"]) - beat.at
            days.add_metric([host], left.total_seconds() / 86_400)
        valid.add_metric([host], float(not facts.get("certificate_fault")))
        scanner.add_metric([host], float(not facts.get("scanner_fault")))
    yield from (days, valid, scanner)


def _alarms() -> Iterator[Metric]:
    counts = Counter(Alarm.objects.open().values_list("rule", flat=True))
    family = gauge("alarms_open", "Open alarms, by rule.", ["rule"])
    for rule in alarm_rules.all_rules():
        family.add_metric([rule.name], counts[rule.name])
    yield family


def _backups() -> Iterator[Metric]:
    at = backups.last()
    if at is not None:
        about = "When the last backup was recorded, in seconds since 1970."
        yield single("last_backup_timestamp_seconds", about, at.timestamp())


def _jobs(now: datetime) -> Iterator[Metric]:
    due = gauge("jobs_waiting", "Jobs that are due and not started, by lane.", ["lane"])
    age = gauge(
        "jobs_oldest_seconds", "Seconds for which the oldest has been due.", ["lane"]
    )
    for lane in backlog.by_lane(now):
        since = lane.due_since
        due.add_metric([lane.lane], lane.count)
        age.add_metric([lane.lane], (now - since).total_seconds() if since else 0.0)
    failing = gauge("jobs_failing", "Jobs that failed several times and are retried.")
    failing.add_metric([], JobRun.objects.failing().count())
    given_up = gauge(
        "jobs_given_up", "Jobs that were given up and wait for a decision."
    )
    given_up.add_metric([], JobRun.objects.given_up().count())
    yield from (due, age, failing, given_up)
