from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.health.checks import process_heartbeats
from engine.health.checks.findings import CheckContext, Finding, Unknown
from engine.health.models import Heartbeat
from engine.health.process_identity import Identity

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
LONG = 3600.0


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def beat(
    kind: str, pid: int, seconds: float, row: int | None = None, host: str = "mx1"
) -> int:
    return process_heartbeats.beat(Identity(kind, host, pid), row, {}, at(seconds))


def context(seconds: float, connected_for: float = LONG) -> CheckContext:
    return CheckContext(at(seconds), list(Heartbeat.objects.all()), connected_for)


def run_round(seconds: float, connected_for: float = LONG) -> list[Finding]:
    """Returns the findings of a round whose alarms are stored."""
    now = context(seconds, connected_for)
    found = list(process_heartbeats.check(now))
    process_heartbeats.mark_lost(now)
    return [one for one in found if isinstance(one, Finding)]


def rules(seconds: float, connected_for: float = LONG) -> set[str]:
    return {one.rule for one in run_round(seconds, connected_for)}


@pytest.fixture
def others() -> None:
    """Web and worker are alive throughout."""
    for pid, kind in enumerate(("web", "worker"), 900):
        row = beat(kind, pid, 0)
        Heartbeat.objects.filter(pk=row).update(at=at(10_000))


def test_a_process_that_beats_is_alive(others: None) -> None:
    row = beat("engine", 1, 0)
    beat("engine", 1, 60, row)

    assert run_round(70) == []
    assert Heartbeat.objects.get(kind="engine").started_at == at(0)


def test_an_engine_that_was_killed_is_found_within_half_a_minute(others: None) -> None:
    beat("engine", 1, 0)

    assert run_round(19) == []
    assert rules(25) == {"process_ended", "engine_missing"}


def test_a_stop_in_order_is_no_fault_of_the_process_but_mail_is_missed(
    others: None,
) -> None:
    row = beat("engine", 1, 0)
    process_heartbeats.record_stop(row, at(5))

    assert rules(30) == {"engine_missing"}


@pytest.mark.parametrize("kind", process_heartbeats.KINDS)
def test_each_kind_must_live_somewhere(kind: str) -> None:
    for pid, other in enumerate(process_heartbeats.KINDS):
        if other != kind:
            beat(other, pid, 0)

    assert rules(10) == {f"{kind}_missing"}


def test_one_that_was_replaced_at_once_is_found_once(others: None) -> None:
    beat("engine", 1, 0)
    row = beat("engine", 2, 3)
    beat("engine", 2, 25, row)

    [finding] = run_round(25)
    assert finding.rule == "process_ended"
    assert finding.subject == "engine on mx1"
    assert run_round(26) == []


def test_the_alarm_lasts_until_a_process_takes_its_place(others: None) -> None:
    one, two = beat("engine", 1, 0), beat("engine", 2, 0)
    for seconds in range(5, 65, 5):
        two = beat("engine", 2, seconds, two)
        if seconds >= 25:
            assert rules(seconds) == {"process_ended"}, seconds
    beat("engine", 3, 60)

    assert run_round(61) == []
    assert Heartbeat.objects.get(pk=one).lost_at == at(25)


def test_one_replacement_stands_for_one_that_ended(others: None) -> None:
    for pid in (1, 2):
        beat("engine", pid, 0)
    row = beat("engine", 3, 30)
    run_round(31)
    beat("engine", 3, 40, row)

    [finding] = run_round(41)

    assert "Process 1" in finding.detail or "Process 2" in finding.detail
    assert "," not in finding.detail.partition("last heartbeat")[0].rstrip(", ")


def test_one_that_took_a_place_and_ended_is_replaced_by_one_more(others: None) -> None:
    for pid, begin in ((1, 0), (2, 30), (3, 60)):
        beat("engine", pid, begin)
        run_round(begin + 25)
    row = beat("engine", 4, 90)
    for seconds in (95, 100):
        beat("engine", 4, seconds, row)

    assert run_round(101) == []


def test_another_host_replaces_nobody(others: None) -> None:
    beat("engine", 1, 0)
    beat("engine", 1, 30, host="mx2")

    run_round(31)

    assert rules(32) == {"process_ended"}


def test_the_same_number_again_is_another_process(others: None) -> None:
    """A container that restarts gets pid 1 again."""
    first = beat("engine", 1, 0)
    second = beat("engine", 1, 4)
    beat("engine", 1, 25, second)

    assert first != second
    assert rules(26) == {"process_ended"}


def test_one_that_hung_and_goes_on_is_no_more_missed(others: None) -> None:
    row = beat("engine", 1, 0)
    assert "process_ended" in rules(30)

    beat("engine", 1, 31, row)

    assert run_round(32) == []
    assert "process_ended" in rules(90)


def test_who_has_just_heard_the_database_again_misses_nobody(others: None) -> None:
    """No process could record a heartbeat while it was away."""
    beat("engine", 1, 0)

    assert run_round(300, connected_for=5) == []
    assert rules(300, connected_for=60) == {"process_ended", "engine_missing"}


def test_who_cannot_know_yet_who_is_missing_says_so(others: None) -> None:
    """Otherwise an open alarm would seem to be over."""
    beat("engine", 1, 0)

    assert list(process_heartbeats.check(context(300, connected_for=5))) == [
        Unknown("process_ended"),
        Unknown("engine_missing"),
    ]
    assert list(process_heartbeats.check(context(300, connected_for=30)))[1:] == [
        Unknown("engine_missing")
    ]


def test_an_end_is_found_until_its_alarm_was_kept(others: None) -> None:
    beat("engine", 1, 0)
    row = beat("engine", 2, 3)
    beat("engine", 2, 25, row)

    for _ in range(2):  # the first could not be recorded
        found = list(process_heartbeats.check(context(26)))
        assert [one.rule for one in found] == ["process_ended"]


def test_a_host_that_is_silent_is_not_well_again() -> None:
    row = process_heartbeats.beat(Identity("web", "mx1"), None, {"clock": 90.0}, at(0))
    [found] = process_heartbeats.check_hosts(context(5))
    assert found == Finding(
        "clock", "mx1", "It is 90 seconds ahead of the database's clock."
    )

    assert Unknown("clock", "mx1") in list(process_heartbeats.check_hosts(context(60)))

    process_heartbeats.record_stop(row, at(61))
    assert Unknown("clock", "mx1") in list(process_heartbeats.check_hosts(context(90)))
    assert list(process_heartbeats.check_hosts(context(120))) == []


def test_a_process_that_has_not_looked_leaves_it_to_the_others_of_its_host() -> None:
    fresh = {"unknown": ["cache", "scanner"]}
    process_heartbeats.beat(Identity("web", "mx1"), None, fresh, at(0))
    found = list(process_heartbeats.check_hosts(context(5)))
    assert set(found) == {Unknown("cache", "mx1"), Unknown("scanner", "mx1")}

    process_heartbeats.beat(
        Identity("engine", "mx1"), None, {"unknown": ["cache"]}, at(1)
    )
    found = list(process_heartbeats.check_hosts(context(5)))
    assert found == [Unknown("cache", "mx1")]


def test_processes_that_ended_long_ago_are_forgotten() -> None:
    beat("engine", 1, 0)
    process_heartbeats.record_stop(beat("engine", 2, 0), at(0))
    living = beat("engine", 3, 90_000)
    run_round(30)

    process_heartbeats.purge(at(90_030))

    assert [one.pk for one in Heartbeat.objects.all()] == [living]
