"""Each kind of alarm is raised by its cause, and ends with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.db import OperationalError
from django_q.models import OrmQ

from engine.database import clock
from engine.health.alarms import alarm_lifecycle, notification_mail
from engine.health.checks import (
    alarm_rules,
    backups,
    host_state,
    mail_flow,
    process_heartbeats,
)
from engine.health.checks.host_state import Facts
from engine.health.evaluation import Evaluator
from engine.health.models import Alarm, Backup, Heartbeat, Sample
from engine.health.process_identity import Identity
from engine.jobs import queue as job_queue
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane
from engine.queue.automatic_mail import forwards_and_replies
from engine.queue.enqueue.accepted_message import new_reference
from engine.queue.models import (
    Hold,
    QueuedMessage,
    Recipient,
    RecipientStatus,
    Source,
)
from engine.registry.actions import mail_keys
from engine.signing.models import KeyRecord, KeyState, MailKey
from engine.storage.models import AutomaticMail, AutomaticMailKind, Content
from tests import factories
from tests.engine.storage.conftest import deliver

pytestmark = pytest.mark.django_db

ROUND = 5.0
JOB = "engine.storage.tasks.index_messages"
LONG = 3600.0
GB = 1024**3


@dataclass
class Service:
    """Three processes on one host, with their checks; time passes in rounds."""

    now: datetime
    facts: Facts = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)
    evaluator: Evaluator = field(default_factory=lambda: Evaluator("web 3 on mx1"))
    contact_since: datetime | None = None
    refusal: str = ""
    """Why the smart host takes no letter."""
    sent: list[tuple[str, bool]] = field(default_factory=list)
    """The rule and whether it lasts, of each alarm that the operators hear of."""

    def start(self, kind: str) -> None:
        self.silent.discard(kind)
        self.rows.pop(kind, None)

    def advance(self, seconds: float) -> None:
        for _ in range(int(seconds / ROUND)):
            self.now += timedelta(seconds=ROUND)
            for pid, kind in enumerate(process_heartbeats.KINDS, 1):
                if kind not in self.silent:
                    me = Identity(kind, "mx1", pid)
                    self.rows[kind] = process_heartbeats.beat(
                        me, self.rows.get(kind), self.facts, self.now
                    )
            self.evaluator.run_round(self.now, self._in_contact())
            self.evaluator.send_notifications(self.now)

    def send(self, waiting: Sequence[Alarm]) -> None:
        if self.refusal:
            raise OSError(self.refusal)
        self.sent.extend((one.rule, one.is_open) for one in waiting)

    def _in_contact(self) -> float:
        if self.contact_since is None:
            return LONG
        return (self.now - self.contact_since).total_seconds()

    def lose_the_database(self, seconds: float) -> None:
        """Moves the time on without heartbeats or evaluations."""
        self.now += timedelta(seconds=seconds)
        self.contact_since = self.now + timedelta(seconds=ROUND)

    def open(self) -> set[str]:
        return {one.rule for one in Alarm.objects.open()}


@pytest.fixture
def service(db: None, monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service(clock.now())
    monkeypatch.setattr(notification_mail, "send", service.send)
    return service


def queue(
    service: Service, destination: str, *, due_for: float, reply: str = ""
) -> Recipient:
    """Creates a message that was accepted that long ago and has been due ever since."""
    began = service.now - timedelta(seconds=due_for)
    message = QueuedMessage.objects.create(
        reference=new_reference(),
        content=Content.objects.create(size=6, header=b"A: b\r\n\r\n", body=b""),
        source=Source.RECEIVE,
        accepted_at=began,
        expires_at=began + timedelta(days=2),
    )
    return Recipient.objects.create(
        message=message,
        address="jane@firm.example.secure.example",
        destination=destination,
        next_attempt_at=began,
        last_reply=reply,
        attempts=1 if reply else 0,
    )


def delivered(recipient: Recipient) -> None:
    recipient.status = RecipientStatus.RELAYED
    recipient.save()


SILENT = "451 4.4.1 The next hop does not answer"
Undo = Callable[[], None]


def killed(kind: str) -> Callable[[Service], Undo]:
    def cause(service: Service) -> Undo:
        service.silent.add(kind)
        return lambda: service.start(kind)

    return cause


def fact(**facts: object) -> Callable[[Service], Undo]:
    def cause(service: Service) -> Undo:
        service.facts = dict(facts)
        return lambda: setattr(service, "facts", {})

    return cause


def waiting(destination: str, minutes: float, reply: str = ""):
    def cause(service: Service) -> Undo:
        row = queue(service, destination, due_for=60 * minutes, reply=reply)
        return lambda: delivered(row)

    return cause


def backup_forgotten(service: Service) -> Undo:
    hours = settings.POSTERN.backup_hours
    Backup.objects.create(at=service.now - timedelta(hours=hours, minutes=1))
    return lambda: Backup.objects.create(at=service.now)


def letters_refused(service: Service) -> Undo:
    service.refusal = "550 no"
    # Letters are sent only if there is something to report.
    service.facts = {"clock": 90.0}
    return lambda: setattr(service, "refusal", "")


def job_unclaimed(service: Service) -> Undo:
    job_queue.add(JOB)
    OrmQ.objects.update(lock=service.now - timedelta(minutes=11))
    return OrmQ.objects.all().delete


def job_given_up(service: Service) -> Undo:
    run = JobRun.objects.create(
        job_id="1", lane="postern", func="a.b", package="", state=RunState.GIVEN_UP
    )
    return lambda: job_queue.requeue(run)


def job_fails(schedule: str, attempts: int) -> Callable[[Service], Undo]:
    def cause(service: Service) -> Undo:
        job_queue.add(JOB, schedule=schedule)
        for _ in range(attempts):
            OrmQ.objects.update(lock=clock.now())
            job = job_queue.claim(Lane.QUICK)
            assert job is not None
            job_queue.failed(job, RuntimeError("the provider's certificate has ended"))
        return lambda: job_queue.done(job)

    return cause


def automatic_mail_set_aside(service: Service) -> Undo:
    firm = factories.make_organisation()
    owner = factories.make_person("bob@firm.example.secure.example", firm)
    message = deliver(factories.make_mailbox(owner))
    AutomaticMail.objects.create(
        kind=AutomaticMailKind.ANSWER,
        message=message,
        fault="No room on the disk",
        set_aside_at=service.now,
    )
    return lambda: forwards_and_replies.retry_set_aside(by=None)


def mail_unproven(service: Service) -> Undo:
    row = queue(service, "connection:7", due_for=0)
    rows = Recipient.objects.filter(pk=row.pk)
    rows.update(status=RecipientStatus.HELD, hold=Hold.UNPROVEN)
    return rows.delete


def mail_key(**over: object) -> MailKey:
    [key, *_] = mail_keys.make_missing(by=None)
    MailKey.objects.filter(pk=key.pk).update(state=KeyState.CURRENT, **over)
    return key


def mail_key_sealed_by_another(service: Service) -> Undo:
    key = mail_key(sealed_private_key="sealed by another")
    return key.save


def mail_key_record_lost(service: Service) -> Undo:
    key = mail_key()
    rows = KeyRecord.objects.filter(key=key)
    KeyRecord.objects.create(
        domain="secure.example",
        key=key,
        problem="No record was found at this name yet.",
        checked_at=service.now,
    )
    return lambda: rows.update(is_visible=True, problem="")


SOON = datetime.now(UTC) + timedelta(days=20)
CAUSES = {
    "process_ended": killed("engine"),
    "engine_missing": killed("engine"),
    "web_missing": killed("web"),
    "worker_missing": killed("worker"),
    "scanner": fact(scanner_fault="Cannot scan for viruses"),
    "scanner_doubt": fact(scanner_doubt="clamd.test:3310: it does not answer"),
    "cache": fact(cache_fault="Connection refused"),
    "master_key": fact(master_key_fault="The KMS command failed"),
    "store": fact(store_fault="s3://postern/ does not answer"),
    "disk": fact(disk_free=GB // 2, disk_total=100 * GB),
    "certificate": fact(certificate=SOON.isoformat()),
    "clock": fact(clock=-300.0),
    "event_loop": fact(loop_lag=2.5),
    "mail_slow": waiting("connection:7", 11),
    "mail_stopped": waiting("connection:7", 31),
    "destination": waiting(
        "connection:7", 16, "451 4.4.1 The next hop does not answer"
    ),
    "automatic_mail": automatic_mail_set_aside,
    "unproven_mail": mail_unproven,
    "smart_host": letters_refused,
    "jobs_waiting": job_unclaimed,
    "job_failing": job_fails("helpdesk.collect", 3),
    "job_given_up": job_given_up,
    "backup": backup_forgotten,
    "mail_key": mail_key_sealed_by_another,
    "mail_key_record": mail_key_record_lost,
}
# Causes that need an unavailable database are in test_monitor.
# And those of the audit trail, in tests/engine/audit/checkpoints.
ELSEWHERE = {"database", "audit_trail", "audit_checkpoint"}


def test_every_rule_has_its_cause_here() -> None:
    ours = {one.name for one in alarm_rules._RULES}

    assert set(CAUSES) | ELSEWHERE == ours


def test_a_service_that_is_well_raises_nothing(service: Service) -> None:
    queue(service, "connection:7", due_for=30)
    service.facts = {
        "disk_free": 50 * GB,
        "disk_total": 100 * GB,
        "clock": 0.2,
        "loop_lag": 0.01,
        "certificate": (SOON + timedelta(days=60)).isoformat(),
    }

    service.advance(120)

    assert service.open() == set()


@pytest.mark.parametrize("rule", CAUSES)
def test_a_rule_fires_within_a_minute_and_clears(service: Service, rule: str) -> None:
    service.advance(10)
    undo = CAUSES[rule](service)

    service.advance(60)
    assert rule in service.open()

    undo()
    service.advance(75)
    assert rule not in service.open()
    assert all(one.ended_at for one in Alarm.objects.filter(rule=rule))


@pytest.mark.parametrize(
    ("schedule", "attempts", "fires"),
    [
        ("helpdesk.collect", 2, False),
        ("helpdesk.collect", 60, True),
        ("", 4, False),
        ("", 5, True),
    ],
)
def test_a_job_that_fails_in_vain_is_an_alarm_until_it_ends_well(
    service: Service, schedule: str, attempts: int, fires: bool
) -> None:
    end_well = job_fails(schedule, attempts)(service)
    service.advance(40)

    alarms_now = list(Alarm.objects.open())
    assert [one.rule for one in alarms_now] == ["job_failing"] * fires
    if fires:
        assert alarms_now[0].subject == (schedule or JOB)
        assert f"{attempts} attempts" in alarms_now[0].detail
        assert "certificate has ended" in alarms_now[0].detail

    end_well()
    service.advance(75)
    assert service.open() == set()


def test_very_many_jobs_that_fail_are_few_alarms(service: Service) -> None:
    for number in range(25):
        JobRun.objects.create(
            job_id=str(number),
            lane=Lane.QUICK,
            func=f"a.b{number}",
            package="",
            attempts=9,
            failed_at=service.now,
        )
    service.advance(10)

    assert Alarm.objects.open().count() == 21
    assert Alarm.objects.get(subject="others").detail.startswith("5 more jobs")


@pytest.mark.parametrize(
    "facts",
    [
        {"disk_free": 20, "disk_total": 64 * 1024**2},
        {"disk_free": GB, "disk_total": 5 * GB, "files_free": 3, "files_total": 1000},
        {"certificate_fault": "The key does not belong to the certificate."},
        {"certificate": "2026-01-01T00:00:00+00:00"},
        {"clock": 31.0},
    ],
)
def test_a_host_says_what_is_wrong_with_it(facts: Facts) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)

    [finding] = host_state.findings("mx1", facts, now)

    assert finding.subject == "mx1"
    assert finding.detail


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"disk_free": 10 * 1024**2, "disk_total": 64 * 1024**2},
        {"disk_free": 2 * GB, "disk_total": 4000 * GB},
        {"clock": -29.0},
        # A file system without a number of its own for files, as btrfs.
        {"disk_free": GB, "disk_total": GB, "files_free": 0, "files_total": 0},
    ],
)
def test_a_host_that_is_well_says_nothing(facts: Facts) -> None:
    assert list(host_state.findings("mx1", facts, datetime.now(UTC))) == []


@pytest.mark.parametrize("rounds_before", range(6))
def test_a_destination_that_is_down_is_reported_within_a_minute(
    service: Service, rounds_before: int
) -> None:
    service.advance(60 + rounds_before * ROUND)

    queue(service, "connection:1", due_for=0, reply=SILENT)
    # A slow machine needs the rest of the minute for its rounds and for the mail.
    service.advance(50)

    assert service.sent == [("destination", True)]


def test_mail_for_a_destination_that_is_down_is_not_slow_mail(service: Service) -> None:
    queue(service, "connection:7", due_for=3000, reply="451 4.4.1 It does not answer")
    queue(service, "connection:8", due_for=30)

    service.advance(60)

    assert service.open() == {"destination"}
    assert Alarm.objects.get().subject == "connection:7"


def test_very_many_destinations_that_are_down_are_few_alarms(service: Service) -> None:
    rows = [
        queue(service, f"connection:{number}", due_for=9_000 - number, reply=SILENT)
        for number in range(18)
    ]
    service.advance(10)
    assert len(service.sent) == 18
    rows += [
        queue(service, f"connection:{number}", due_for=900, reply=SILENT)
        for number in range(18, 40)
    ]
    queue(service, "outside", due_for=900, reply=SILENT)
    # Two of the oldest open alarms take the last places.
    service.advance(40)

    open_now = Alarm.objects.open()
    assert open_now.filter(rule="destination").count() == 21
    assert open_now.filter(rule="smart_host").count() == 1
    others = open_now.get(subject="others")
    assert others.detail == "20 more destinations do not answer."
    assert all(is_open for _, is_open in service.sent)

    for row in rows:
        delivered(row)
    service.advance(60)
    assert service.open() == {"smart_host"}


def test_a_destination_among_many_keeps_its_alarm(service: Service) -> None:
    """One that has waited for less time has no alarm of its own, or keeps the one it
    had."""
    queue(service, "connection:99", due_for=900, reply=SILENT)
    service.advance(10)
    for number in range(30):
        queue(service, f"connection:{number}", due_for=9_000, reply=SILENT)
    # Message ids increase with time.
    Recipient.objects.filter(destination="connection:99").delete()
    queue(service, "connection:99", due_for=900, reply=SILENT)
    service.advance(60)

    assert Alarm.objects.open().filter(subject="connection:99").exists()
    assert all(is_open for _, is_open in service.sent)


def test_one_look_that_fails_stops_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(context: object) -> list:
        raise RuntimeError("a table has gone")

    monkeypatch.setattr(alarm_rules, "checks", [])
    alarm_rules.add_check({"made_up"}, broken)
    service.facts = {"clock": 90.0}

    service.advance(20)

    assert service.open() == {"clock"}
    assert "a table has gone" in caplog.text


# The database is lost for the monitor only, in the same way whichever it is.
@pytest.mark.any_database
@pytest.mark.parametrize("away", [15, 60, 300])
@pytest.mark.parametrize(
    ("cause", "rule"),
    [
        (killed("engine"), "engine_missing"),
        (fact(scanner_fault="It does not answer"), "scanner"),
        (fact(loop_lag=9.0), "event_loop"),
    ],
)
def test_what_lasts_is_not_over_because_the_database_was_away(
    service: Service,
    cause: Callable[[Service], Undo],
    rule: str,
    away: int,
) -> None:
    undo = cause(service)
    service.advance(60)
    assert service.sent.count((rule, True)) == (3 if rule == "event_loop" else 1)
    service.sent.clear()

    service.lose_the_database(away)
    for _ in range(30):
        service.advance(ROUND)
        assert rule in service.open()
    assert service.sent == []

    undo()
    service.advance(75)
    assert rule not in service.open()
    assert (rule, False) in service.sent


def test_what_lasts_is_not_over_because_its_host_restarts(
    service: Service,
) -> None:
    service.facts = {"disk_free": GB // 2, "disk_total": 100 * GB}
    service.advance(20)
    for kind, row in service.rows.items():
        process_heartbeats.record_stop(row, service.now)
        service.silent.add(kind)

    service.advance(40)
    for kind in process_heartbeats.KINDS:
        service.start(kind)
    service.advance(60)

    assert [one for one in service.sent if one[0] == "disk"] == [("disk", True)]


def test_an_end_that_could_not_be_kept_is_kept_in_the_next_round(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.advance(10)
    service.start("engine")  # another in place of one that no longer reports
    service.advance(15)
    with monkeypatch.context() as patch:
        patch.setattr(alarm_lifecycle, "_save", Mock(side_effect=OperationalError))
        for _ in range(3):
            with pytest.raises(OperationalError):
                service.advance(ROUND)

    service.advance(ROUND)

    assert Alarm.objects.filter(rule="process_ended").exists()


def test_a_rule_with_two_looks_is_not_over_while_one_of_them_fails(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = queue(service, "outside", due_for=900, reply="451 4.4.1 No answer")
    monkeypatch.setattr(alarm_rules, "checks", [])
    service.advance(10)
    assert service.open() == {"smart_host"}

    def broken(now: datetime) -> list:
        raise RuntimeError("a table has gone")

    with monkeypatch.context() as patch:
        patch.setattr(mail_flow, "destinations", broken)
        patch.setattr(
            "engine.health.metrics.minute_samples._values", lambda context: {}
        )
        service.advance(90)
    assert service.open() == {"smart_host"}

    delivered(row)
    service.advance(60)
    assert service.open() == set()


def test_who_takes_the_duty_over_knows_nothing_of_letters_yet(
    service: Service,
) -> None:
    service.evaluator.mail_fault = "Alarms could not be sent: 550 no"
    service.evaluator.run_round(service.now, LONG)
    assert service.open() >= {"smart_host"}

    other = Evaluator("engine 1 on mx1")
    for seconds in (20, 30, 40, 50):
        other.run_round(service.now + timedelta(seconds=seconds), LONG)
    assert "smart_host" in service.open()

    other.send_notifications(service.now)
    for seconds in (60, 70, 80):
        other.run_round(service.now + timedelta(seconds=seconds), LONG)
    assert "smart_host" not in service.open()


def test_only_one_process_evaluates_and_another_takes_over(service: Service) -> None:
    other = Evaluator("engine 1 on mx1")
    service.advance(10)

    other.run_round(service.now, LONG)
    assert (service.evaluator.is_leader, other.is_leader) == (True, False)

    other.run_round(service.now + timedelta(seconds=16), LONG)
    service.evaluator.run_round(service.now + timedelta(seconds=17), LONG)
    assert (service.evaluator.is_leader, other.is_leader) == (False, True)


def test_each_minute_is_kept_once_for_the_plots(service: Service) -> None:
    queue(service, "connection:7", due_for=30)
    service.facts = {"disk_free": 30 * GB, "disk_total": 40 * GB, "loop_lag": 0.5}

    service.advance(180)

    samples = list(Sample.objects.all())
    assert 3 <= len(samples) <= 4
    assert samples[0].values["waiting"] == 1
    assert samples[0].values["disk"] == 75.0
    assert samples[0].values["lag"] == 0.5


def test_a_round_asks_few_questions_however_much_waits(
    service: Service, django_assert_max_num_queries
) -> None:
    for number in range(30):
        queue(service, f"connection:{number}", due_for=900)
    service.advance(5)

    with django_assert_max_num_queries(25):
        service.advance(5)


def test_a_backup_is_noted_by_the_database_s_clock() -> None:
    assert backups.last() is None

    noted = backups.note()

    assert backups.last() == noted


def test_heartbeats_carry_what_a_process_sees(service: Service) -> None:
    service.facts = {"clock": 0.1}
    service.advance(5)

    assert {one.facts["clock"] for one in Heartbeat.objects.all()} == {0.1}
