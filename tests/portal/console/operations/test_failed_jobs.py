"""The page of failed jobs, and running them again."""

from __future__ import annotations

import pytest
from django.test import Client
from django_q.models import OrmQ
from pytest_django.fixtures import DjangoAssertNumQueries

from engine.audit.models import Entry
from engine.database import clock
from engine.jobs import queue, worker
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane
from engine.registry.models import Person, RoleName
from tests import factories
from tests.portal.conftest import SignIn

PAGE = "/admin/jobs/"
INVITE = "portal.account_admin.tasks.send_invitation"


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    return signed_in(olive, second_factor=True)


@pytest.fixture
def failed(transactional_db: None) -> JobRun:
    """A failed job: an invitation for a person who does not exist."""
    queue.add(INVITE, 999_999)
    worker.run_next(Lane.QUICK)
    return JobRun.objects.get(func=INVITE)


@pytest.fixture
def given_up(failed: JobRun) -> JobRun:
    JobRun.objects.filter(pk=failed.pk).update(attempts=queue.MAX_ATTEMPTS - 1)
    OrmQ.objects.update(lock=clock.now())
    worker.run_next(Lane.QUICK)
    failed.refresh_from_db()
    assert failed.state == RunState.GIVEN_UP
    return failed


def test_it_shows_what_failed_why_and_when_it_is_tried_again(
    staff_client: Client, failed: JobRun
) -> None:
    page = staff_client.get(PAGE).content.decode()
    shown = staff_client.get(f"{PAGE}{failed.pk}/").content.decode()

    assert "Invitation to a person" in page
    assert "Person matching query does not exist" in page
    assert "No job has been given up" in page
    assert "Scheduled jobs are never given up" in page
    assert "Traceback" in shown
    assert "Run again now" in shown
    assert "Dismiss" not in shown


def test_an_operator_runs_one_again_that_was_given_up(
    staff_client: Client, olive: Person, given_up: JobRun
) -> None:
    assert not OrmQ.objects.exists()

    done = staff_client.post(
        f"{PAGE}{given_up.pk}/again/", follow=True
    ).content.decode()

    assert "The job runs now" in done
    [row] = OrmQ.objects.all()
    assert row.task["args"] == (999_999,)
    entry = Entry.objects.get(event="job.run_again")
    assert entry.by_key == olive.audit_key
    assert entry.detail["job"] == INVITE
    assert worker.run_next(Lane.QUICK)
    given_up.refresh_from_db()
    assert (given_up.state, given_up.attempts) == (RunState.FAILED, 1)


def test_one_that_waits_is_run_now(staff_client: Client, failed: JobRun) -> None:
    assert not worker.run_next(Lane.QUICK)

    staff_client.post(f"{PAGE}{failed.pk}/again/")

    assert worker.run_next(Lane.QUICK)


def test_one_that_is_not_wanted_is_taken_off_the_list(
    staff_client: Client, given_up: JobRun
) -> None:
    done = staff_client.post(
        f"{PAGE}{given_up.pk}/dismiss/", follow=True
    ).content.decode()

    assert "The job is dismissed" in done
    assert not JobRun.objects.exists()
    assert Entry.objects.filter(event="job.dismissed").count() == 1


def test_one_that_is_still_tried_is_not_taken_off(
    staff_client: Client, failed: JobRun
) -> None:
    page = staff_client.post(
        f"{PAGE}{failed.pk}/dismiss/", follow=True
    ).content.decode()

    assert "still retried automatically" in page
    assert JobRun.objects.count() == 1


def test_an_auditor_sees_and_changes_nothing(
    signed_in: SignIn, given_up: JobRun
) -> None:
    auditor = factories.make_person("ada@secure.example", name="Ada")
    factories.make_staff(auditor, RoleName.AUDITOR)
    client = signed_in(auditor, second_factor=True)

    shown = client.get(f"{PAGE}{given_up.pk}/").content.decode()

    assert "Run again now" not in shown
    assert client.post(f"{PAGE}{given_up.pk}/again/").status_code == 403
    assert client.post(f"{PAGE}{given_up.pk}/dismiss/").status_code == 403
    assert not OrmQ.objects.exists()


def test_the_home_page_counts_what_was_given_up(
    staff_client: Client, given_up: JobRun
) -> None:
    page = staff_client.get("/admin/").content.decode()

    assert "Jobs given up" in page


def test_the_page_asks_as_much_for_many_as_for_one(
    staff_client: Client,
    given_up: JobRun,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    staff_client.get(PAGE)
    with django_assert_max_num_queries(20) as one:
        staff_client.get(PAGE)
    for number in range(60):
        JobRun.objects.create(
            job_id=f"given-up-{number}",
            lane=Lane.QUICK,
            func=INVITE,
            package="",
            state=RunState.GIVEN_UP,
            failed_at=clock.now(),
        )

    with django_assert_num_queries(len(one)):
        staff_client.get(PAGE)
