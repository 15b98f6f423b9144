"""Decisions on one request at the same moment are serialised."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from engine.registry.errors import PolicyError
from engine.registry.models import Person, RoleName
from portal.emergency_access import actions
from portal.emergency_access.models import (
    REQUEST_LIFETIME,
    EmergencyAccess,
    Status,
)
from tests import factories
from tests.portal.emergency_access.conftest import ask

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def at_once(*ways: Callable[[], object]) -> list[bool]:
    """Returns which of the actions went through."""

    def attempt(way: Callable[[], object]) -> bool:
        try:
            way()
        except PolicyError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(ways)) as threads:
        return list(threads.map(attempt, ways))


def test_two_approvals_at_once_open_it_once(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)

    outcomes = at_once(
        lambda: actions.approve(access, by=amy),
        lambda: actions.approve(access, by=olive),
    )

    access.refresh_from_db()
    assert outcomes == [True, True]
    assert access.status == Status.OPEN
    assert [job.task["args"][1] for job in OrmQ.objects.order_by("id")] == [
        "asked",
        "opened",
    ]


def test_of_two_operators_at_once_one_takes_the_last_part(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    otto = factories.make_person("otto@secure.example")
    factories.make_staff(otto, RoleName.OPERATOR)
    access = ask(bob, by=alice)

    outcomes = at_once(
        lambda: actions.approve(access, by=olive),
        lambda: actions.approve(access, by=otto),
    )

    assert sorted(outcomes) == [False, True]
    assert access.approvals.count() == 1


def test_one_person_asks_once_though_twice_at_once(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    outcomes = at_once(lambda: ask(bob, by=alice), lambda: ask(bob, by=alice))

    assert sorted(outcomes) == [False, True]
    assert EmergencyAccess.objects.count() == 1


def test_who_asks_again_waits_until_the_last_request_is_closed(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    last = ask(bob, by=alice)
    long_ago = timezone.now() - REQUEST_LIFETIME - timedelta(minutes=1)
    EmergencyAccess.objects.update(requested_at=long_ago)
    is_held = Event()

    def close() -> None:
        with transaction.atomic():
            rows = EmergencyAccess.objects.select_for_update()
            assert rows.get(pk=last.pk).status == Status.WAITING
            is_held.set()
            sleep(0.3)
            actions.close_overdue()

    def ask_again() -> None:
        assert is_held.wait(10)
        ask(bob, by=alice)

    assert at_once(close, ask_again) == [True, True]
    last.refresh_from_db()
    assert last.status == Status.LAPSED
