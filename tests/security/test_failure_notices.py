"""The owner is notified of failed second factors, and of many failed sign-ins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from engine.audit.models import Entry
from engine.registry.models import Person
from portal.account import failed_sign_ins
from portal.sessions import sign_in_attempts
from tests.factories import PASSWORD
from tests.portal.conftest import code_now, give_app
from tests.security.intruder import deliver_notices

LOGIN = "/account/login/"
ELSEWHERE, FURTHER = "198.51.100.7", "203.0.113.7"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def owner(bob: Person) -> Person:
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@home.example")
    bob.refresh_from_db()
    give_app(bob)
    return bob


def browser(peer: str = ELSEWHERE) -> Client:
    return Client(REMOTE_ADDR=peer, HTTP_USER_AGENT=FIREFOX)


def guess_codes(person: Person, times: int, peer: str = ELSEWHERE) -> None:
    client = browser(peer)
    client.post(LOGIN, {"login": person.address, "password": PASSWORD})
    for _ in range(times):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})


def guess_passwords(address: str, times: int, peer: str = ELSEWHERE) -> None:
    client = browser(peer)
    for _ in range(times):
        client.post(LOGIN, {"login": address, "password": "not the password"})


def notices_to(address: str) -> list[mail.EmailMessage]:
    deliver_notices()
    return [message for message in mail.outbox if message.to == [address]]


def test_wrong_codes_after_the_right_password_are_told_to_the_owner(
    owner: Person, alice: Person
) -> None:
    guess_codes(owner, failed_sign_ins.CODES_BEFORE_NOTICE)

    (notice,) = notices_to("bob@home.example")

    assert "Another person may know the password" in notice.subject
    assert "198.51.100.0/24" in notice.body
    assert "Firefox on Windows" in notice.body
    assert "change it now" in notice.body
    assert "call the helpdesk" in notice.body
    assert [m.to for m in mail.outbox if m.to == [owner.address]]
    assert not [m for m in mail.outbox if m.to == [alice.address]]


def test_a_slip_is_told_to_nobody(owner: Person) -> None:
    guess_codes(owner, failed_sign_ins.CODES_BEFORE_NOTICE - 1)

    assert notices_to("bob@home.example") == []


def test_nor_are_codes_that_were_right(owner: Person) -> None:
    for _ in range(failed_sign_ins.CODES_BEFORE_NOTICE):
        client = browser()
        client.post(LOGIN, {"login": owner.address, "password": PASSWORD})
        client.post(reverse("mfa_authenticate"), {"code": code_now()})

    assert not Entry.objects.filter(event=failed_sign_ins.WRONG_CODES).exists()


@pytest.mark.usefixtures("clocks_agree")
def test_who_is_patient_is_heard_too(owner: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(failed_sign_ins.CODES_BEFORE_NOTICE):
            clock.shift(timedelta(hours=2))
            guess_codes(owner, 1)

        assert len(notices_to("bob@home.example")) == 1


@pytest.mark.usefixtures("clocks_agree")
def test_one_notice_of_a_kind_in_a_day(owner: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(3):
            guess_codes(owner, failed_sign_ins.CODES_BEFORE_NOTICE)
            clock.shift(timedelta(minutes=16))
        assert len(notices_to("bob@home.example")) == 1

        clock.shift(timedelta(days=1))
        guess_codes(owner, failed_sign_ins.CODES_BEFORE_NOTICE, peer=FURTHER)

        (notice,) = notices_to("bob@home.example")
        assert "203.0.113.0/24" in notice.body


def test_failures_at_the_limit_are_told_to_the_owner(owner: Person) -> None:
    guess_passwords(owner.address, sign_in_attempts.ADDRESS_LIMIT - 1)
    assert notices_to("bob@home.example") == []

    guess_passwords(owner.address, 2, peer=FURTHER)

    (notice,) = notices_to("bob@home.example")
    assert "Failed sign-ins" in notice.subject
    assert "failed 10 times" in notice.body
    assert "203.0.113.0/24, 198.51.100.0/24" in notice.body


@pytest.mark.usefixtures("clocks_agree")
def test_strangers_use_up_no_other_notice(owner: Person) -> None:
    guess_passwords(owner.address, sign_in_attempts.ADDRESS_LIMIT)
    assert len(notices_to("bob@home.example")) == 1

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        guess_codes(owner, failed_sign_ins.CODES_BEFORE_NOTICE)

        (notice,) = notices_to("bob@home.example")
    assert "Another person may know the password" in notice.subject


def test_the_same_is_done_for_an_address_that_is_nobodys(owner: Person) -> None:
    queued = []
    for address, peer in ((owner.address, ELSEWHERE), ("nobody@x.example", FURTHER)):
        OrmQ.objects.all().delete()
        guess_passwords(address, sign_in_attempts.ADDRESS_LIMIT, peer)
        queued.append(OrmQ.objects.count())

    assert queued == [1, 1]
    deliver_notices()
    assert Entry.objects.filter(event=failed_sign_ins.TOO_MANY).count() == 0
