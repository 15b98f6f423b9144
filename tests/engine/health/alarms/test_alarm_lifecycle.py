from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from engine.health.alarms import alarm_lifecycle
from engine.health.checks.findings import Finding, Unknown
from engine.health.models import CALM, FLAPPING, Alarm

START = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
DISK = Finding("disk", "mx1", "3 MB of 100 MB are free.")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run_round(
    known: list[Alarm], seconds: float, *findings: Finding, checked: str = "disk"
) -> list[Alarm]:
    """Returns all alarms after one round of checks."""
    changed = alarm_lifecycle.apply_findings(
        known, findings, at(seconds), checked={checked}
    )
    return [*known, *(one for one in changed if one not in known)]


def test_a_finding_opens_one_alarm_however_often_it_is_found() -> None:
    found = run_round(run_round(run_round([], 0, DISK), 5, DISK), 10, DISK)

    [alarm] = found
    assert (alarm.since, alarm.seen_at) == (at(0), at(10))
    assert alarm.is_open
    assert alarm.needs_notification


def test_it_is_over_once_its_cause_was_gone_for_long_enough() -> None:
    known = run_round([], 0, DISK)

    run_round(known, 5)
    assert known[0].is_open
    run_round(known, 5 + CALM.total_seconds())

    assert known[0].ended_at == at(5 + CALM.total_seconds())


def test_a_cause_that_is_gone_for_a_moment_ends_nothing() -> None:
    known = run_round([], 0, DISK)
    for seconds in range(5, 65, 10):
        run_round(known, seconds)
        run_round(known, seconds + 5, DISK)

    assert [one.is_open for one in known] == [True]


def test_what_could_not_be_looked_at_stays_as_it_is() -> None:
    known = run_round([], 0, DISK)

    for seconds in (5, 30, 60):
        run_round(known, seconds, checked="mail_slow")

    assert known[0].is_open


@pytest.mark.parametrize(("subject", "lasts"), [(None, 2), ("mx1", 1)])
def test_what_is_unknown_of_a_rule_stays_as_it_is(
    subject: str | None, lasts: int
) -> None:
    known = run_round([], 0, DISK, Finding("disk", "mx2"))

    for seconds in (5, 30):
        doubt = [Unknown("disk", subject)]
        alarm_lifecycle.apply_findings(
            known, [], at(seconds), checked={"disk"}, unknown=doubt
        )

    assert [one.is_open for one in known].count(True) == lasts
    assert known[0].is_open


def test_the_same_rule_elsewhere_is_another_alarm() -> None:
    known = run_round([], 0, DISK, Finding("disk", "mx2"))

    assert {one.subject for one in known} == {"mx1", "mx2"}


def ended() -> list[Alarm]:
    known = run_round([], 0, DISK)
    known[0].mark_notified(at(1))
    run_round(known, 5)
    run_round(known, 20)
    known[0].mark_notified(at(21))
    assert not known[0].needs_notification
    return known


def test_what_comes_back_soon_joins_its_alarm_and_is_told_once_more() -> None:
    known = run_round(ended(), 120, DISK)

    [alarm] = known
    assert alarm.is_open
    assert alarm.needs_notification
    assert (alarm.since, alarm.returns) == (at(0), 1)


def test_what_comes_and_goes_sends_no_flood_of_mail() -> None:
    known = ended()
    mails = 0
    for seconds in range(60, 3660, 60):  # gone for half of each minute, for an hour
        for part, findings in ((0, [DISK]), (30, []), (45, [])):
            run_round(known, seconds + part, *findings)
            if any(one.needs_notification for one in known):
                mails += 1
                for one in known:
                    one.mark_notified(at(seconds))

    assert len(known) == 1
    assert mails == 1


def test_it_ends_after_ten_calm_minutes_where_it_came_and_went() -> None:
    known = run_round(ended(), 120, DISK)
    run_round(known, 125)
    run_round(known, 125 + FLAPPING.total_seconds() - 1)
    assert known[0].is_open

    run_round(known, 125 + FLAPPING.total_seconds())

    assert not known[0].is_open


def test_what_comes_back_much_later_is_another_alarm() -> None:
    known = run_round(ended(), 20 + FLAPPING.total_seconds(), DISK)

    assert [one.is_open for one in known] == [False, True]


def test_one_that_ended_before_anybody_heard_is_told_once() -> None:
    known = run_round([], 0, DISK)
    run_round(known, 5)
    run_round(known, 20)
    [alarm] = known

    assert alarm.needs_notification
    alarm.mark_notified(at(21))
    assert not alarm.needs_notification


def test_an_alarm_comes_back_from_its_file_as_it_went() -> None:
    [alarm] = run_round([], 0, DISK)
    alarm.mark_notified(at(3))

    again = Alarm.from_json(json.loads(json.dumps(alarm.to_json())))

    assert again.to_json() == alarm.to_json()
    assert again.told_at == at(3)


@pytest.mark.django_db
def test_the_table_keeps_one_open_alarm_of_a_kind_through_rounds() -> None:
    for seconds in (0, 5, 10):
        announced = alarm_lifecycle.record_findings(
            [DISK], at(seconds), checked={"disk"}
        )
        assert [one.rule for one in announced] == ["disk"]
    alarm_lifecycle.mark_notified(announced, at(11))

    assert alarm_lifecycle.record_findings([DISK], at(15), checked={"disk"}) == []
    alarm_lifecycle.record_findings([], at(20), checked={"disk"})
    [over] = alarm_lifecycle.record_findings([], at(40), checked={"disk"})

    assert Alarm.objects.count() == 1
    assert over.ended_at == at(40)
    alarm_lifecycle.mark_notified([over], at(41))
    assert alarm_lifecycle.awaiting_notification(at(42)) == []


@pytest.mark.django_db
def test_very_long_words_of_a_finding_fit_the_table() -> None:
    alarm_lifecycle.record_findings(
        [Finding("disk", "h" * 300, "w" * 3000)], at(0), checked={"disk"}
    )
    alarm_lifecycle.record_findings(
        [Finding("disk", "h" * 300, "w" * 3000)], at(5), checked={"disk"}
    )

    assert Alarm.objects.open().count() == 1


@pytest.mark.django_db
def test_what_a_host_raised_alone_joins_what_is_open() -> None:
    alarm_lifecycle.record_findings([DISK], at(0), checked={"disk"})
    database = run_round([], 0, Finding("database", "mx1"), DISK)

    alarm_lifecycle.adopt(database)

    assert sorted(one.rule for one in Alarm.objects.open()) == ["database", "disk"]


@pytest.mark.django_db
def test_alarms_that_ended_long_ago_are_forgotten() -> None:
    alarm_lifecycle.record_findings([DISK], at(0), checked={"disk"})
    Alarm.objects.update(ended_at=at(0), told_at=at(0), ended_told_at=at(0))

    alarm_lifecycle.purge(START + alarm_lifecycle.KEPT + timedelta(seconds=1))

    assert not Alarm.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("count", [30, 300])
def test_a_round_asks_as_much_however_many_alarms_are_open(
    count: int, django_assert_num_queries
) -> None:
    many = [Finding("webhooks", f"{number}", "Not heard.") for number in range(count)]
    alarm_lifecycle.record_findings(many, at(0), checked={"webhooks"})
    waiting = alarm_lifecycle.awaiting_notification(at(1))
    with django_assert_num_queries(1):
        alarm_lifecycle.mark_notified(waiting, at(1))

    # A savepoint and its release, the open alarms, the time, and the unreported ones.
    with django_assert_num_queries(5):
        alarm_lifecycle.record_findings(many, at(5), checked={"webhooks"})
    assert set(Alarm.objects.values_list("seen_at", flat=True)) == {at(5)}

    alarm_lifecycle.record_findings([], at(10), checked={"webhooks"})
    with django_assert_num_queries(4):  # nothing is written
        alarm_lifecycle.record_findings([], at(15), checked={"webhooks"})
    over = alarm_lifecycle.record_findings([], at(20), checked={"webhooks"})
    assert len(over) == count
    with django_assert_num_queries(1):
        alarm_lifecycle.mark_notified(over, at(21))
    assert alarm_lifecycle.awaiting_notification(at(22)) == []


@pytest.mark.django_db
def test_only_what_changed_is_written_in_full(django_assert_num_queries) -> None:
    many = [Finding("webhooks", f"{number}", "Not heard.") for number in range(300)]
    alarm_lifecycle.record_findings(many, at(0), checked={"webhooks"})
    many[7] = Finding("webhooks", "7", "Two were not heard.")

    with django_assert_num_queries(6) as asked:  # one more
        alarm_lifecycle.record_findings(many, at(5), checked={"webhooks"})

    assert (
        max(query["sql"].count("WHEN") for query in asked)
        <= len(alarm_lifecycle.COLUMNS) + 1
    )
    assert Alarm.objects.get(subject="7").detail == "Two were not heard."


@pytest.mark.django_db
def test_what_comes_back_while_its_end_is_being_told_is_told_again() -> None:
    alarm_lifecycle.record_findings([DISK], at(0), checked={"disk"})
    alarm_lifecycle.mark_notified(alarm_lifecycle.awaiting_notification(at(1)), at(1))
    for seconds in (5, 20):
        sent = alarm_lifecycle.record_findings([], at(seconds), checked={"disk"})
    assert [one.is_open for one in sent] == [False]

    alarm_lifecycle.record_findings([DISK], at(25), checked={"disk"})
    alarm_lifecycle.mark_notified(sent, at(26))

    [again] = alarm_lifecycle.awaiting_notification(at(27))
    assert (again.is_open, again.told_at, again.ended_told_at) == (True, None, None)


@pytest.mark.django_db
def test_what_ends_while_its_beginning_is_being_told_is_told_to_be_over() -> None:
    sent = alarm_lifecycle.record_findings([DISK], at(0), checked={"disk"})
    for seconds in (5, 20):
        alarm_lifecycle.record_findings([], at(seconds), checked={"disk"})

    alarm_lifecycle.mark_notified(sent, at(26))

    [over] = alarm_lifecycle.awaiting_notification(at(27))
    assert (over.is_open, over.told_at, over.ended_told_at) == (False, at(26), None)
