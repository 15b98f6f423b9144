"""Alarms reach the operators by a smart host, without the queue or the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from smtplib import SMTPException

import pytest
from django.conf import settings

from engine.health import alarms, alone, letters
from engine.health.evaluation import Evaluator
from engine.health.models import Alarm
from engine.health.situation import Finding
from engine.queue.models import QueuedMessage
from engine.registry.models import Person
from tests.engine.queue.conftest import authority, believed, make_hop
from tests.next_hop import NextHop

__all__ = ["authority", "believed", "make_hop"]

NOW = datetime(2026, 11, 29, 9, 0, 30, tzinfo=UTC)
DISK = Finding("disk", "mx1", "3 MB of 100 MB are free.")
CLOCK = Finding("clock", "mx2", "It is 300 seconds ahead of the database's.")


@pytest.fixture
def smart_host(make_hop, monkeypatch: pytest.MonkeyPatch) -> Iterator[NextHop]:
    hop = make_hop("localhost")
    monkeypatch.setattr(settings.POSTERN, "smarthost", f"localhost:{hop.port}")
    monkeypatch.setattr(settings.POSTERN, "alarm_addresses", ["on-call@operators.test"])
    return hop


def raised(*findings: Finding) -> list[Alarm]:
    return alarms.step([], findings, NOW, looked=())


def read(hop: NextHop, number: int = -1):
    return message_from_bytes(hop.received[number].data, policy=policy.default)


def test_several_alarms_go_in_one_mail_straight_to_the_smart_host(
    smart_host: NextHop,
) -> None:
    letters.send(raised(DISK, CLOCK))

    [sent] = smart_host.received
    assert (sent.sender, sent.recipients) == ("<>", ["on-call@operators.test"])
    letter = read(smart_host)
    text = letter.get_content()
    assert letter["Subject"] == "[Postern] A disk is nearly full (and 1 more)"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "(mx1)" in text
    assert "Make room under POSTERN_VAR" in text
    assert "300 seconds ahead" in text
    assert "Since 29 November 2026, 09:00:30 UTC" in text


def test_the_end_of_an_alarm_says_so(smart_host: NextHop) -> None:
    [alarm] = raised(DISK)
    alarm.tell(NOW)
    alarm.ended_at = NOW

    letters.send([alarm])

    letter = read(smart_host)
    assert letter["Subject"] == "[Postern] Over: A disk is nearly full"
    assert "OVER: A disk is nearly full (mx1)." in letter.get_content()


def test_a_line_end_in_what_was_seen_makes_no_header(smart_host: NextHop) -> None:
    letters.send(raised(Finding("disk", "mx1\r\nBcc: x@y.test", "a\r\nB: c")))

    assert read(smart_host)["Bcc"] is None
    assert smart_host.received[0].recipients == ["on-call@operators.test"]


@pytest.mark.django_db
def test_operators_read_at_their_everyday_addresses_even_without_the_database(
    olive: Person, bob: Person, django_assert_num_queries
) -> None:
    Person.objects.filter(pk=olive.pk).update(everyday_address="olive@home.test")
    letters.remember()

    with django_assert_num_queries(0):
        assert [str(one) for one in letters.recipients()] == ["olive@home.test"]


@pytest.mark.django_db
def test_an_operator_who_left_hears_no_more(olive: Person) -> None:
    letters.remember()
    olive.is_active = False
    olive.save()

    letters.remember()

    assert letters.recipients() == []


def test_development_without_a_smart_host_fills_the_outbox(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "alarm_addresses", ["on-call@operators.test"])

    letters.send(raised(DISK))

    [file] = (var / "outbox").glob("*.eml")
    assert file.read_bytes().startswith(b"X-Envelope-To: on-call@operators.test\r\n")


@pytest.mark.django_db
def test_a_mail_that_cannot_be_sent_is_sent_later_and_says_so(
    smart_host: NextHop,
) -> None:
    evaluator = Evaluator("web 1 on mx1")
    alarms.note([DISK], NOW, looked={"disk"})
    smart_host.stop()

    evaluator.tell(NOW)
    assert "could not be sent" in evaluator.letter_fault
    assert alarms.to_tell(NOW) != []

    smart_host.start()
    evaluator.tell(NOW)
    evaluator.tell(NOW)
    assert evaluator.letter_fault == ""
    assert len(smart_host.received) == 1
    assert alarms.to_tell(NOW) == []
    assert not QueuedMessage.objects.exists()


def test_a_host_alone_sends_one_mail_and_one_when_asked_again(
    smart_host: NextHop, var: Path
) -> None:
    away = [Finding("database", "mx1", "It has not answered.")]

    for _ in range(3):
        alone.look(away, NOW, looked={"database"})

    assert len(smart_host.received) == 1
    assert read(smart_host)["Subject"] == "[Postern] The database cannot be reached"
    # The file is as private as all state.
    assert (var / "health" / alone.FILE).stat().st_mode & 0o077 == 0


def test_a_second_process_of_the_host_leaves_it_to_the_first(
    smart_host: NextHop,
) -> None:
    away = [Finding("database", "mx1", "It has not answered.")]

    with alone._alone() as is_ours:
        alone.look(away, NOW, looked={"database"})

    assert is_ours
    assert smart_host.received == []


@pytest.mark.django_db
def test_what_was_raised_alone_ends_in_the_table_and_is_told_once(
    smart_host: NextHop, var: Path
) -> None:
    evaluator = Evaluator("web 1 on mx1")
    alone.look([Finding("database", "mx1", "")], NOW, looked={"database"})

    alone.hand_back()
    alone.hand_back()
    for seconds in (5, 10, 20):
        evaluator.round(NOW.replace(second=30 + seconds), 0.0)
        evaluator.tell(NOW.replace(second=30 + seconds))

    assert not (var / "health" / alone.FILE).exists()
    alarm = Alarm.objects.get(rule="database")
    assert (alarm.told_at, alarm.is_open) == (NOW, False)
    assert [one["Subject"] for one in map(read_one(smart_host), (0, 1))] == [
        "[Postern] The database cannot be reached",
        "[Postern] Over: The database cannot be reached",
    ]
    assert len(smart_host.received) == 2


def read_one(hop: NextHop):
    return lambda number: read(hop, number)


def test_a_smart_host_that_refuses_is_no_success(smart_host: NextHop) -> None:
    smart_host.answers["on-call@operators.test"] = ["550 5.1.1 Nobody"]

    with pytest.raises(SMTPException):
        letters.send(raised(DISK))
