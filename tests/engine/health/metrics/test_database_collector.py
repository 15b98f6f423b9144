from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from engine.database import clock
from engine.health.checks import backups, mail_flow, process_heartbeats
from engine.health.metrics import exposition
from engine.health.metrics.database_collector import MAX_DESTINATIONS, DatabaseCollector
from engine.health.models import Alarm
from engine.health.process_identity import Identity
from tests.engine.health.checks.test_alarm_rules import GB, Service, queue

pytestmark = pytest.mark.django_db


def samples(name: str) -> dict[tuple[str, ...], float]:
    page = exposition.render([DatabaseCollector()]).decode()
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == f"postern_{name}"
    }


@pytest.fixture
def service() -> Service:
    return Service(clock.now())


def test_the_queue_is_told_by_destination(service: Service) -> None:
    queue(service, "connection:7", due_for=900, reply="451 4.4.1 It does not answer")
    queue(service, "connection:7", due_for=60)
    queue(service, "connection:8", due_for=300)

    waiting, oldest = samples("queue_recipients"), samples("queue_oldest_seconds")

    assert waiting == {("connection:7",): 2, ("connection:8",): 1}
    assert 900 <= oldest["connection:7",] < 1000
    # Recipients that wait for a destination that is down are not due.
    assert 300 <= samples("queue_due_seconds")[()] < 400


def test_very_many_destinations_make_few_series(
    service: Service, django_assert_max_num_queries
) -> None:
    for number in range(MAX_DESTINATIONS + 20):
        queue(service, f"connection:{number}", due_for=10 + number)

    with django_assert_max_num_queries(10):
        waiting = samples("queue_recipients")

    assert len(waiting) == MAX_DESTINATIONS + 1
    assert waiting["others",] == 20


def test_processes_and_their_hosts_are_there() -> None:
    now = clock.now()
    facts = {
        "disk_free": 2 * GB,
        "disk_total": 8 * GB,
        "clock": -1.5,
        "scanner_fault": "It does not answer",
        "certificate": (now + timedelta(days=30)).isoformat(),
    }
    process_heartbeats.beat(Identity("engine", "mx1", 7), None, facts, now)
    process_heartbeats.beat(
        Identity("web", "mx1", 8), None, {}, now - timedelta(minutes=5)
    )

    assert samples("processes") == {("engine",): 1, ("web",): 0, ("worker",): 0}
    assert samples("heartbeat_age_seconds")["web", "8", "mx1"] >= 300
    assert samples("disk_free_bytes") == {("mx1",): 2 * GB}
    assert samples("clock_difference_seconds") == {("mx1",): -1.5}
    assert samples("scanner_up") == {("mx1",): 0}
    assert 29.9 < samples("certificate_days_left")["mx1",] <= 30


def test_alarms_and_backups_are_there() -> None:
    now = clock.now()
    Alarm.objects.create(rule="disk", subject="mx1", since=now, seen_at=now)
    assert samples("last_backup_timestamp_seconds") == {}
    call_command("note_backup")

    found = samples("alarms_open")

    assert (found["disk",], found["clock",]) == (1, 0)
    assert backups.last() is not None
    assert samples("last_backup_timestamp_seconds")[()] >= now.timestamp() - 1


def test_without_the_database_the_rest_is_still_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(now: object) -> list:
        raise OperationalError("it has gone")

    monkeypatch.setattr(mail_flow, "destinations", away)
    monkeypatch.setattr(settings.POSTERN, "redis_url", "redis://127.0.0.1:1/0")

    assert samples("database_up") == {(): 0}
    assert samples("cache_up") == {(): 0}
