"""Alarms reach the operators by a smart host, without the queue or the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from errno import ENOSPC
from pathlib import Path
from smtplib import SMTPException
from time import sleep
from unittest.mock import Mock

import pytest
from aiosmtpd.smtp import SMTP
from django.conf import settings
from django.db import OperationalError

from engine.health.alarms import alarm_lifecycle, notification_mail
from engine.health.alarms.database_outage import OutageAlarms
from engine.health.checks.findings import Finding
from engine.health.evaluation import Evaluator
from engine.health.models import Alarm
from engine.queue.models import QueuedMessage
from engine.registry.models import Person
from engine.secrets import state_folder
from tests.engine.queue.conftest import authority, make_hop, trust_authority
from tests.next_hop import NextHop

__all__ = ["authority", "make_hop", "trust_authority"]

NOW = datetime(2026, 11, 29, 9, 0, 30, tzinfo=UTC)
AWAY = [Finding("database", "mx1", "It has not answered.")]
DISK = Finding("disk", "mx1", "3 MB of 100 MB are free.")
CLOCK = Finding("clock", "mx2", "It is 300 seconds ahead of the database's.")


@pytest.fixture
def smart_host(make_hop, monkeypatch: pytest.MonkeyPatch) -> Iterator[NextHop]:
    hop = make_hop("localhost")
    monkeypatch.setattr(settings.POSTERN, "smarthost", f"localhost:{hop.port}")
    monkeypatch.setattr(settings.POSTERN, "alarm_addresses", ["on-call@operators.test"])
    return hop


def raised(*findings: Finding) -> list[Alarm]:
    return alarm_lifecycle.apply_findings([], findings, NOW, checked=())


def read(hop: NextHop, number: int = -1):
    return message_from_bytes(hop.received[number].data, policy=policy.default)


def test_several_alarms_go_in_one_mail_straight_to_the_smart_host(
    smart_host: NextHop,
) -> None:
    notification_mail.send(raised(DISK, CLOCK))

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
    alarm.mark_notified(NOW)
    alarm.ended_at = NOW

    notification_mail.send([alarm])

    letter = read(smart_host)
    assert letter["Subject"] == "[Postern] Resolved: A disk is nearly full"
    assert "RESOLVED: A disk is nearly full (mx1)." in letter.get_content()


def test_a_line_end_in_what_was_seen_makes_no_header(smart_host: NextHop) -> None:
    notification_mail.send(raised(Finding("disk", "mx1\r\nBcc: x@y.test", "a\r\nB: c")))

    assert read(smart_host)["Bcc"] is None
    assert smart_host.received[0].recipients == ["on-call@operators.test"]


@pytest.mark.django_db
def test_operators_read_at_their_everyday_addresses_even_without_the_database(
    olive: Person, bob: Person, django_assert_num_queries
) -> None:
    Person.objects.filter(pk=olive.pk).update(everyday_address="olive@home.test")
    notification_mail.cache_recipients()

    with django_assert_num_queries(0):
        assert [str(one) for one in notification_mail.recipients()] == [
            "olive@home.test"
        ]


@pytest.mark.django_db
def test_an_operator_who_left_hears_no_more(olive: Person) -> None:
    notification_mail.cache_recipients()
    olive.is_active = False
    olive.save()

    notification_mail.cache_recipients()

    assert notification_mail.recipients() == []


def test_development_without_a_smart_host_fills_the_outbox(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "alarm_addresses", ["on-call@operators.test"])

    notification_mail.send(raised(DISK))

    [file] = (var / "outbox").glob("*.eml")
    assert file.read_bytes().startswith(b"X-Envelope-To: on-call@operators.test\r\n")


@pytest.mark.django_db
def test_a_mail_that_cannot_be_sent_is_sent_later_and_says_so(
    smart_host: NextHop,
) -> None:
    evaluator = Evaluator("web 1 on mx1")
    alarm_lifecycle.record_findings([DISK], NOW, checked={"disk"})
    smart_host.stop()

    evaluator.send_notifications(NOW)
    assert "could not be sent" in evaluator.mail_fault
    assert alarm_lifecycle.awaiting_notification(NOW) != []

    smart_host.start()
    evaluator.send_notifications(NOW)
    assert smart_host.received == []  # not as often as requested
    evaluator.send_notifications(NOW + timedelta(seconds=2))
    evaluator.send_notifications(NOW + timedelta(seconds=4))
    assert evaluator.mail_fault == ""
    assert len(smart_host.received) == 1
    assert alarm_lifecycle.awaiting_notification(NOW) == []
    assert not QueuedMessage.objects.exists()


def test_a_host_alone_sends_one_mail_and_one_when_asked_again(
    smart_host: NextHop, var: Path
) -> None:
    one = OutageAlarms("mx1")

    for _ in range(3):
        one.evaluate(AWAY, NOW, checked={"database"})

    assert len(smart_host.received) == 1
    assert read(smart_host)["Subject"] == "[Postern] The database cannot be reached"
    # The file is as private as the rest of the state.
    assert one.path.parent == var / "health"
    assert one.path.stat().st_mode & 0o077 == 0


def test_a_second_process_of_the_host_leaves_it_to_the_first(
    smart_host: NextHop,
) -> None:
    with OutageAlarms("mx1")._locked() as is_ours:
        OutageAlarms("mx1").evaluate(AWAY, NOW, checked={"database"})

    assert is_ours
    assert smart_host.received == []


@pytest.mark.django_db
def test_what_was_raised_alone_ends_in_the_table_and_is_told_once(
    smart_host: NextHop, var: Path
) -> None:
    evaluator = Evaluator("web 1 on mx1")
    one = OutageAlarms("mx1")
    one.evaluate([Finding("database", "mx1", "")], NOW, checked={"database"})

    one.move_to_database()
    one.move_to_database()
    for seconds in (5, 10, 20):
        evaluator.run_round(NOW.replace(second=30 + seconds), 0.0)
        evaluator.send_notifications(NOW.replace(second=30 + seconds))

    assert not one.path.exists()
    alarm = Alarm.objects.get(rule="database")
    assert (alarm.told_at, alarm.is_open) == (NOW, False)
    assert [one["Subject"] for one in map(read_one(smart_host), (0, 1))] == [
        "[Postern] The database cannot be reached",
        "[Postern] Resolved: The database cannot be reached",
    ]
    assert len(smart_host.received) == 2


def read_one(hop: NextHop):
    return lambda number: read(hop, number)


def test_a_smart_host_that_refuses_is_no_success(smart_host: NextHop) -> None:
    smart_host.rcpt_replies["on-call@operators.test"] = ["550 5.1.1 Nobody"]

    with pytest.raises(SMTPException):
        notification_mail.send(raised(DISK))


def test_one_address_that_is_refused_keeps_no_other_from_hearing(
    smart_host: NextHop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    both = ["gone@operators.test", "on-call@operators.test"]
    monkeypatch.setattr(settings.POSTERN, "alarm_addresses", both)
    smart_host.rcpt_replies["gone@operators.test"] = ["550 5.1.1 Nobody"]

    notification_mail.send(raised(DISK))

    assert smart_host.received[0].recipients == ["on-call@operators.test"]
    assert "gone@operators.test: 550" in caplog.text


class OddPeer(SMTP):
    """Delays its reply to the final dot, and does not know QUIT."""

    async def push(self, status: object) -> None:
        if "Taken" in str(status):
            sleep(0.6)
        await super().push(status)

    async def smtp_QUIT(self, arg: str) -> None:
        await self.push("502 5.5.1 What?")


def test_a_mail_that_was_taken_is_sent_whatever_is_answered_then(
    smart_host: NextHop, monkeypatch: pytest.MonkeyPatch
) -> None:
    smart_host.protocol = OddPeer
    # More than the peer needs at its start, and less than it takes to the dot.
    monkeypatch.setattr(notification_mail, "STEP_SECONDS", 0.5)
    smart_host.rcpt_replies["on-call@operators.test"] = ["252 2.1.5 Perhaps"]
    smart_host.data_replies = ["200 2.0.0 Taken"]

    notification_mail.send(raised(DISK))

    assert len(smart_host.received) == 1


def test_a_mail_that_fails_is_tried_again_after_ever_longer() -> None:
    delay = notification_mail.RetryDelay()
    tries, now = [], NOW
    while now < NOW + timedelta(hours=1):
        if delay.is_over(now):
            tries.append((now - NOW).total_seconds())
            delay.failed(now)
        now += timedelta(seconds=2)

    assert tries[:5] == [0, 2, 6, 14, 30]
    assert 15 <= len(tries) <= 20
    assert delay.is_over(NOW - timedelta(hours=1))  # the clock was set back
    delay.succeeded()
    assert delay.is_over(now)


@pytest.mark.django_db
def test_a_mail_whose_note_cannot_be_kept_is_not_sent_again(
    smart_host: NextHop, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = Evaluator("web 1 on mx1")
    alarm_lifecycle.record_findings([DISK], NOW, checked={"disk"})
    with monkeypatch.context() as patch:
        patch.setattr(
            alarm_lifecycle, "mark_notified", Mock(side_effect=OperationalError)
        )
        for _ in range(3):
            with pytest.raises(OperationalError):
                evaluator.send_notifications(NOW)

    evaluator.send_notifications(NOW)

    assert len(smart_host.received) == 1
    assert alarm_lifecycle.awaiting_notification(NOW) == []


def test_alarms_that_nobody_can_hear_of_stay_to_be_told(var: Path) -> None:
    one = OutageAlarms("mx1")
    one.evaluate(AWAY, NOW, checked={"database"})
    with pytest.raises(notification_mail.NoRecipientError):
        notification_mail.send(raised(DISK))

    assert [alarm.needs_notification for alarm in one._read()] == [True]


@pytest.mark.django_db
def test_who_evaluates_says_that_nobody_can_hear(var: Path) -> None:
    evaluator = Evaluator("web 1 on mx1")
    alarm_lifecycle.record_findings([DISK], NOW, checked={"disk"})

    evaluator.send_notifications(NOW)

    assert "POSTERN_ALARM_ADDRESSES" in evaluator.mail_fault
    assert len(alarm_lifecycle.awaiting_notification(NOW)) == 1


@pytest.mark.parametrize("broken", ["write_atomically", "subfolder"])
def test_a_host_alone_with_a_full_disk_sends_one_mail(
    smart_host: NextHop, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    first, second = OutageAlarms("mx1"), OutageAlarms("mx1")  # two processes
    second.evaluate([], NOW, checked={"database"})  # the lock's file exists
    full = Mock(side_effect=OSError(ENOSPC, "No space left on device"))
    with monkeypatch.context() as patch:
        patch.setattr(state_folder, broken, full)
        for _ in range(3):
            first.evaluate(AWAY, NOW, checked={"database"})
            if broken == "replace":  # or it cannot hold a lock
                second.evaluate(AWAY, NOW, checked={"database"})
    assert len(smart_host.received) == 1

    first.evaluate(AWAY, NOW, checked={"database"})  # there is room again
    second.evaluate(AWAY, NOW, checked={"database"})
    assert len(smart_host.received) == 1
    assert first.path.exists()


@pytest.mark.django_db
def test_what_stayed_in_memory_is_handed_back_too(
    smart_host: NextHop, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = OutageAlarms("mx1")
    full = Mock(side_effect=OSError(ENOSPC, "No space left on device"))
    monkeypatch.setattr(state_folder, "write_atomically", full)
    one.evaluate(AWAY, NOW, checked={"database"})

    one.move_to_database()
    one.move_to_database()

    assert Alarm.objects.get().told_at == NOW


@pytest.mark.django_db
def test_hosts_that_share_the_state_leave_each_other_s_alarms_alone(
    smart_host: NextHop,
) -> None:
    """One of them cannot reach the database, the other can."""
    well, cut_off = OutageAlarms("mx1"), OutageAlarms("mx2")
    evaluator = Evaluator("web 1 on mx1")

    for seconds in range(0, 60, 2):
        now = NOW + timedelta(seconds=seconds)
        found = [Finding("database", "mx2", "It has not answered.")]
        cut_off.evaluate(found, now, checked={"database"})
        well.move_to_database()
        evaluator.run_round(now, 0.0)
        evaluator.send_notifications(now)

    assert len(smart_host.received) == 1
    assert cut_off.path.exists()


def test_very_many_alarms_make_a_mail_that_can_be_read(smart_host: NextHop) -> None:
    many = [Finding("webhooks", f"host{number:04}.test") for number in range(1_000)]
    waiting = raised(*many, DISK)
    for alarm in waiting[:-1]:
        alarm.ended_at = NOW

    notification_mail.send(waiting)

    letter = read(smart_host)
    text = letter.get_content()
    assert text.startswith("A disk is nearly full (mx1)")
    assert "And 981 more, of which 0 are still open." in text
    assert len(text) < 5_000
