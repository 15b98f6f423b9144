from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule

from engine.registry.models import Person
from portal.account import tasks
from portal.sessions import models
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def test_ended_sessions_are_forgotten(signed_in: SignIn, bob: Person) -> None:
    signed_in(bob)

    with time_machine.travel(timezone.now() + timedelta(days=1)):
        tasks.forget()

    assert not models.WebSession.objects.exists()


def test_live_session_stays(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)

    tasks.forget()

    assert client.get("/account/").status_code == 200


@pytest.mark.parametrize(("days", "left"), [(89, 1), (91, 0)])
def test_failed_sign_ins_are_kept_for_ninety_days(
    client: Client, days: int, left: int
) -> None:
    client.post("/account/login/", {"login": "mallory@x.example", "password": "guess"})

    with time_machine.travel(timezone.now() + timedelta(days=days)):
        tasks.forget()

    assert models.SignIn.objects.count() == left


def test_forgetting_runs_daily() -> None:
    tasks.schedule_jobs()
    tasks.schedule_jobs()

    [schedule] = Schedule.objects.filter(name="account.forget")
    assert schedule.schedule_type == Schedule.DAILY
