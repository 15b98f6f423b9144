from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from errno import EIO
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.backends.signals import connection_created

from engine.antivirus.models import ScannerProof
from engine.antivirus.scanners import coverage_proof
from engine.database import clock
from engine.health import monitor
from engine.health.alarms import notification_mail
from engine.health.checks import dependency_probes, host_state
from engine.health.evaluation import Evaluator
from engine.health.event_loop_lag import TICK_SECONDS, LoopLag
from engine.health.models import Duty, Heartbeat
from engine.health.monitor import ProcessMonitor, monitored, monitored_loop
from engine.registry.models import Person
from portal.demo.certificates import Authority
from portal.serving import asgi_handler
from tests.fakes import RecordingClamd

PATIENCE = 60.0  # seconds, for a slow machine; no measurement depends on it


def wait_for(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_a_process_says_that_it_lives_and_says_goodbye(var: Path) -> None:
    with monitored("worker"):
        wait_for(Heartbeat.objects.exists)
        wait_for(Duty.objects.exists)
        wait_for(lambda: list((var / "metrics").glob("worker-*.prom")))
        [beat] = Heartbeat.objects.all()
        assert (beat.kind, beat.stopped_at) == ("worker", None)
        assert beat.facts["disk_total"] > 0

    beat.refresh_from_db()
    assert beat.stopped_at is not None
    assert not Duty.objects.exists()
    assert not list((var / "metrics").glob("*.prom"))


@pytest.mark.django_db(transaction=True)
def test_one_whose_parent_was_killed_says_no_goodbye(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ProcessMonitor("worker")
    one.start()
    wait_for(Heartbeat.objects.exists)

    monkeypatch.setattr("os.getppid", lambda: 1_000_000)
    one.stop()

    assert Heartbeat.objects.get().stopped_at is None


@pytest.mark.django_db(transaction=True)
async def test_an_event_loop_is_watched_beside_its_work() -> None:
    async with monitored_loop("engine"):
        await asyncio.to_thread(wait_for, _has_lag)


def _has_lag() -> bool:
    try:
        facts = Heartbeat.objects.get().facts
        return "loop_lag" in facts and facts["counts_in"] == host_state.counter_folder()
    except Heartbeat.DoesNotExist:
        return False
    finally:
        connection.close()


def test_how_late_a_loop_is_is_known_while_it_hangs_and_for_a_minute() -> None:
    now = [100.0]
    lag = LoopLag(lambda: now[0])
    assert lag.seconds() == 0.0
    lag.tick()
    now[0] += TICK_SECONDS
    lag.tick()
    assert lag.seconds() == 0.0

    now[0] += TICK_SECONDS + 3.0
    assert lag.seconds() == 3.0  # it hangs
    lag.tick()
    now[0] += TICK_SECONDS
    lag.tick()
    assert lag.seconds() == 3.0  # it hung a moment ago

    for _ in range(125):
        now[0] += TICK_SECONDS
        lag.tick()
    assert lag.seconds() == 0.0


@pytest.fixture
def nowhere(db: None, tmp_path: Path):
    """A connection to a database that does not exist, in this thread."""
    ours = connections["default"]
    away = ours.copy()
    away.settings_dict = {
        **ours.settings_dict,
        "NAME": "gone" if ours.vendor == "postgresql" else str(tmp_path / "gone" / "x"),
        "HOST": str(tmp_path),
        "PORT": "1",
    }
    connections["default"] = away
    yield
    connections["default"] = ours


def test_without_the_database_the_host_looks_by_itself(
    nowhere: None, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "alarm_addresses", ["on-call@operators.test"])
    one = ProcessMonitor("engine")
    with pytest.raises(DatabaseError):
        one._beat()

    one._send_notifications()
    assert not (var / "outbox").exists()  # a short outage raises no alarm

    one._answered_at -= monitor.OUTAGE_SECONDS + 1
    one._send_notifications()
    one._send_notifications()

    [mail] = (var / "outbox").glob("*.eml")
    assert b"The database cannot be reached" in mail.read_bytes()
    assert one._outage_alarms.path.exists()


@pytest.mark.parametrize("ask", ["disk", "counter_folder"])
def test_a_disk_that_cannot_be_looked_at_silences_no_alarm(
    nowhere: None, var: Path, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    monkeypatch.setattr(settings.POSTERN, "alarm_addresses", ["on-call@operators.test"])
    monkeypatch.setattr(host_state, ask, Mock(side_effect=OSError(EIO, "Input/output")))
    one = ProcessMonitor("engine")

    one._evaluate_host()

    assert list((var / "outbox").glob("*.eml"))
    assert "disk" in one._facts()["unknown"]


@pytest.mark.django_db
def test_every_process_knows_where_operators_read_before_the_database_goes(
    olive: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on hosts where no process reports alarms."""
    monkeypatch.setattr(monitor, "close_old_connections", lambda: None)
    Evaluator("web 1 on elsewhere").run_round(clock.now(), 0.0)
    one = ProcessMonitor("engine")

    one._beat()
    assert [str(each) for each in notification_mail.recipients()] == [
        "olive@secure.example"
    ]
    assert not one._evaluator.is_leader

    Person.objects.update(is_active=False)
    one._beat()
    assert notification_mail.recipients() != []  # refreshed once a minute
    one._refreshed_at -= monitor.REFRESH_SECONDS
    one._beat()
    assert notification_mail.recipients() == []


@pytest.mark.django_db
def test_the_watch_soon_hears_that_a_database_hangs() -> None:
    """In web processes too, whose requests have a statement limit of their own."""
    before = connections["default"]
    others = dict(before.settings_dict.get("OPTIONS", {}))
    connection_created.connect(asgi_handler._limit_statements)
    try:
        monitor._open_own_connection()
        options = connections["default"].settings_dict["OPTIONS"]
        assert (options.get("timeout"), options.get("connect_timeout")) in (
            (monitor.CONNECT_SECONDS, None),
            (None, monitor.CONNECT_SECONDS),
        )
        if connection.vendor == "postgresql":
            with connections["default"].cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                assert cursor.fetchone() == ("10s",)
    finally:
        connection_created.disconnect(asgi_handler._limit_statements)
        if connections["default"] is not before:
            connections["default"].close()
        connections["default"] = before
    assert before.settings_dict.get("OPTIONS", {}) == others


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    issued = Authority(tmp_path / "tls").issue("localhost")
    monkeypatch.setattr(settings.POSTERN, "tls_cert_file", str(issued.cert_file))
    monkeypatch.setattr(settings.POSTERN, "tls_key_file", str(issued.key_file))
    monkeypatch.setattr(settings.POSTERN, "tls_ca_file", "")
    return issued


def test_a_certificate_and_its_key_are_loaded_as_the_engine_would(
    ours, tmp_path: Path
) -> None:
    asked = dependency_probes.DependencyProbes()
    asked.run()
    assert "certificate_fault" not in asked.facts
    assert asked.facts["certificate"] > "2026"

    other = Authority(tmp_path / "other").issue("localhost")
    Path(ours.key_file).write_bytes(Path(other.key_file).read_bytes())
    asked.run()
    assert "certificate_fault" not in asked.facts  # it may be half renewed
    asked.run()
    assert "does not belong" in asked.facts["certificate_fault"]


def test_a_scanner_that_is_away_is_a_fault_once_it_was_away_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings.POSTERN, "clamd", str(tmp_path / "nobody.sock"))
    asked = dependency_probes.DependencyProbes()

    asked.run()
    assert "scanner_fault" not in asked.facts
    asked.run()

    assert "virus" in asked.facts["scanner_fault"]


def test_one_scanner_of_several_that_is_away_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    away = str(tmp_path / "nobody.sock")
    asked = dependency_probes.DependencyProbes()
    with RecordingClamd(tmp_path) as clamd:
        monkeypatch.setattr(settings.POSTERN, "clamd", f"{away},{clamd.socket}")
        for _ in range(4):
            asked.run()
        assert len(clamd.received) == 4  # no other was queried in place of one

    assert "scanner_fault" not in asked.facts
    assert "nobody.sock" in asked.facts["scanner_doubt"]
    assert clamd.socket not in asked.facts["scanner_doubt"]


@pytest.mark.django_db
def test_a_scanner_that_answers_and_finds_nothing_is_a_fault(
    recording_clamd: RecordingClamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "close_old_connections", lambda: None)
    coverage_proof.prove()
    one = ProcessMonitor("engine")
    one._probes.run()

    one._beat()
    one._beat()

    facts = Heartbeat.objects.get().facts
    assert "scanner_fault" not in facts
    assert "standard test file in: attachment, zip" in facts["scanner_doubt"]
    [found] = host_state.findings("mx1", facts, clock.now())
    assert found.rule == "scanner_doubt"

    ScannerProof.objects.update(opens=list(coverage_proof.KINDS))
    one._refreshed_at -= monitor.REFRESH_SECONDS
    one._beat()
    one._beat()
    assert "scanner_doubt" not in Heartbeat.objects.get().facts


@pytest.mark.django_db
def test_a_proof_that_failed_is_a_fault_and_says_why(
    recording_clamd: RecordingClamd,
) -> None:
    recording_clamd.answer = None
    coverage_proof.prove()

    assert "virus" in dependency_probes.coverage_fault()


def test_a_cache_that_is_away_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.POSTERN, "redis_url", "redis://127.0.0.1:1/0")
    asked = dependency_probes.DependencyProbes()

    asked.run()
    asked.run()

    assert asked.facts["cache_fault"]


def test_the_disk_of_the_state_is_looked_at(var: Path) -> None:
    facts = host_state.disk()

    assert 0 < facts["disk_free"] <= facts["disk_total"]
