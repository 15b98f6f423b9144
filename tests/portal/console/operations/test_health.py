from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from engine.database import clock
from engine.health.alarms import alarm_lifecycle
from engine.health.checks import process_heartbeats
from engine.health.checks.findings import Finding
from engine.health.models import Alarm, Backup, Sample
from engine.health.process_identity import Identity
from engine.registry.models import Person
from portal.console.operations import day_charts
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db

HEALTH, HOME, STATUS = "/admin/health/", "/admin/", "/status/"


def raise_alarm(rule: str, subject: str = "mx1", detail: str = "It is so.") -> None:
    alarm_lifecycle.record_findings(
        [Finding(rule, subject, detail)], clock.now(), checked={rule}
    )


def text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


@pytest.fixture
def operator_client(signed_in: SignIn, olive: Person) -> Client:
    return signed_in(olive, second_factor=True)


def test_health_shows_what_is_wrong_and_what_to_do(operator_client: Client) -> None:
    raise_alarm("disk", detail="3 MB of 100 MB are free.")

    page = text(operator_client, HEALTH)

    assert "A disk is nearly full" in page
    assert "3 MB of 100 MB are free." in page
    assert "Make room under POSTERN_VAR" in page


def test_health_shows_what_ended_lately_and_nothing_older(
    operator_client: Client,
) -> None:
    for rule, days in (("disk", 1), ("clock", 30)):
        raise_alarm(rule)
        ended = clock.now() - timedelta(days=days)
        Alarm.objects.filter(rule=rule).update(ended_at=ended)

    page = text(operator_client, HEALTH)

    assert "A disk is nearly full" in page
    assert "The clock of a host is wrong" not in page
    assert "Make room" not in page


def test_health_shows_each_process_and_host(operator_client: Client) -> None:
    now = clock.now()
    facts = {"disk_free": 5, "disk_total": 100, "clock": 40.0, "scanner_fault": "No."}
    process_heartbeats.beat(Identity("engine", "mx1", 71), None, facts, now)
    process_heartbeats.beat(
        Identity("worker", "mx2", 72), None, {}, now - timedelta(minutes=5)
    )
    gone = process_heartbeats.beat(Identity("web", "mx1", 73), None, {}, now)
    process_heartbeats.record_stop(gone, now)

    page = text(operator_client, HEALTH)

    for said in ("engine 71", "worker 72", "web 73", "Killed or crashed"):
        assert said in page
    assert " s ago" in page
    assert "Stopped" in page
    assert '<strong class="postern-alarm">+40.0 s</strong>' in page


def test_health_shows_the_last_backup(operator_client: Client) -> None:
    assert "manage.py note_backup" in text(operator_client, HEALTH)

    Backup.objects.create(at=clock.now() - timedelta(days=3))

    assert '<strong class="postern-alarm"><time' in text(operator_client, HEALTH)


def test_health_plots_the_last_day_with_a_table_beside_it(
    operator_client: Client,
) -> None:
    assert "Figures are kept each minute" in text(operator_client, HEALTH)
    now = clock.now()
    for minutes in (0, 1, 200, 3000):
        at = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes)
        values = {"accepted": minutes, "waiting": 7, "oldest": 90.0, "disk": 42.5}
        Sample.objects.create(at=at, values=values)

    page = text(operator_client, HEALTH)

    assert "Messages accepted in a minute, by quarters of an hour: at most 200" in page
    assert page.count("<figure>") == 4  # nothing is known of jobs and the event loop
    assert "42.5" in page
    assert "1.5" in page  # minutes
    assert "3,000" not in page


def test_a_plot_shows_the_worst_of_each_quarter_at_its_place() -> None:
    now = clock.now().replace(minute=7, second=0, microsecond=0)
    for minutes, free in ((1, 80.0), (2, 20.0), (24 * 60 - 1, 100.0)):
        at = now - timedelta(minutes=minutes)
        Sample.objects.create(at=at, values={"disk": free})

    drawn, hours = day_charts.last_day(now)

    disk = next(one for one in drawn if "disk" in one.title)
    assert [(one.x, one.height) for one in disk.bars] == [(0, 100.0), (570, 20.0)]
    assert (disk.most, disk.least) == ("100", "20")
    assert len(hours) == 2


def test_an_hour_that_comes_twice_has_two_rows() -> None:
    # The clocks of London go back at 01:00 UTC.
    for utc, waiting in ((0, 5), (1, 7)):
        at = datetime(2026, 10, 25, utc, 30, tzinfo=UTC)
        Sample.objects.create(at=at, values={"waiting": waiting})

    _, hours = day_charts.last_day(datetime(2026, 10, 25, 2, 0, tzinfo=UTC))

    assert [hour.cells[1][1] for hour in hours] == ["7", "5"]


def test_health_asks_as_much_however_much_there_is(
    operator_client: Client, django_assert_max_num_queries
) -> None:
    now = clock.now()
    for number in range(40):
        raise_alarm("destination", f"connection:{number}")
        process_heartbeats.beat(
            Identity("engine", f"mx{number}", 1), None, {"clock": 1}, now
        )
    operator_client.get(HEALTH)

    with django_assert_max_num_queries(40):
        operator_client.get(HEALTH)


def test_home_shows_alarms_with_their_place_to_who_runs_the_service(
    operator_client: Client,
) -> None:
    raise_alarm("scanner")

    page = text(operator_client, HOME)

    assert "The virus scanner cannot be reached" in page
    assert ": mx1, since" in page
    assert f'href="{HEALTH}"' in page


def test_home_shows_other_staff_what_is_wrong_and_nothing_of_hosts(
    signed_in: SignIn, vera: Person
) -> None:
    raise_alarm("scanner")

    page = text(signed_in(vera, second_factor=True), HOME)

    assert "The virus scanner cannot be reached" in page
    assert "mx1" not in page
    assert "What to do about it" not in page


def test_home_is_calm_where_nothing_is_wrong(operator_client: Client) -> None:
    raise_alarm("scanner")
    Alarm.objects.update(ended_at=clock.now())

    assert "What is wrong now" not in text(operator_client, HOME)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("mail_slow", "Messages are taking longer than usual to arrive."),
        ("mail_stopped", "Messages are not being sent or received at the moment."),
        ("engine_missing", "Messages are not being sent or received at the moment."),
        ("scanner", "New messages cannot be scanned for viruses"),
    ],
)
def test_the_public_status_page_says_by_itself_what_members_feel(
    client: Client, rule: str, said: str
) -> None:
    assert "We know of no problems." in text(client, STATUS)
    raise_alarm(rule, "mx1.inside.example", "Its process ended.")

    page = text(client, STATUS)

    assert said in page
    assert "We know of no problems." not in page
    assert "mx1" not in page
    assert "Its process" not in page


def test_the_public_page_says_nothing_of_what_members_do_not_feel(
    client: Client,
) -> None:
    for rule in ("disk", "clock", "process_ended", "certificate", "destination"):
        raise_alarm(rule)

    assert "We know of no problems." in text(client, STATUS)


def test_the_public_page_says_the_same_once(client: Client) -> None:
    for rule in ("engine_missing", "mail_stopped"):
        raise_alarm(rule)

    assert text(client, STATUS).count("Messages are not being sent or received") == 1


def test_what_is_over_leaves_the_public_page(client: Client) -> None:
    raise_alarm("mail_slow")
    Alarm.objects.update(ended_at=clock.now())

    assert "We know of no problems." in text(client, STATUS)
