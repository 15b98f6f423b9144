from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.audit.models import Entry
from engine.database import clock
from engine.registry.actions import sessions
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import Organisation, Person
from portal.account import tasks
from tests import factories, jobs
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn

NEW = "three other random words"


@pytest.fixture
def bob_with_everyday_address(bob: Person) -> Person:
    bob.everyday_address = "bob@everyday.example"
    bob.save()
    return bob


def test_a_person_without_a_password_is_led_to_choose_one(
    signed_in: SignIn, bob: Person
) -> None:
    bob.set_unusable_password()
    bob.save()

    page = signed_in(bob).get("/account/password/change/", follow=True)

    assert page.redirect_chain[-1][0] == reverse("account_reset_password")
    assert page.status_code == 200


def test_reset_reads_the_same_for_any_address(client: Client, bob: Person) -> None:
    pages = []
    for address in (bob.address, "nobody@firm.example", "no address"):
        response = client.post(
            reverse("account_reset_password"), {"email": address}, follow=True
        )
        assert response.status_code == 200
        pages.append(re.sub(rb"nonce=\S+", b"", response.content))

    assert pages[0] == pages[1] == pages[2]


def test_link_goes_to_the_everyday_address(bob_with_everyday_address: Person) -> None:
    tasks.send_password_reset(bob_with_everyday_address.address)

    (message,) = mail.outbox
    assert message.to == ["bob@everyday.example"]
    assert "http://127.0.0.1:8000/account/password/reset/key/" in message.body


@pytest.mark.parametrize("address", ["nobody@firm.example", "bob"])
def test_nothing_is_sent_to_strangers(db: None, address: str) -> None:
    tasks.send_password_reset(address)

    assert mail.outbox == []


def test_nothing_is_sent_without_an_everyday_address(bob: Person) -> None:
    tasks.send_password_reset(bob.address)

    assert mail.outbox == []


def test_who_reads_mail_in_a_server_gets_the_link_there(firm: Organisation) -> None:
    tom = factories.make_person("tom@firm.example.secure.example", firm)

    tasks.send_password_reset(tom.address)

    assert [m.to for m in mail.outbox] == [[tom.address]]


def test_link_chooses_a_new_password_once(
    client: Client, bob_with_everyday_address: Person
) -> None:
    bob = bob_with_everyday_address
    tasks.send_password_reset(bob.address)
    link = re.search(r"/account/password/\S+", mail.outbox[0].body).group()

    page = client.get(link, follow=True)
    path = page.request["PATH_INFO"]
    client.post(path, {"password1": NEW, "password2": NEW})

    bob.refresh_from_db()
    assert bob.check_password(NEW)
    assert "_auth_user_id" not in client.session
    assert b"no longer works" in client.get(link, follow=True).content
    assert Entry.objects.filter(event="person.password_reset").exists()


def reset_link(person: Person) -> str:
    tasks.send_password_reset(person.address)
    return re.search(r"/account/password/\S+", mail.outbox[-1].body).group()


@pytest.mark.parametrize(("minutes", "is_live"), [(59, True), (61, False)])
def test_link_works_for_an_hour(
    client: Client, bob_with_everyday_address: Person, minutes: int, is_live: bool
) -> None:
    link = reset_link(bob_with_everyday_address)

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        page = client.get(link, follow=True)

    assert (b"no longer works" in page.content) is not is_live


def test_link_ends_with_the_sessions(
    client: Client, bob_with_everyday_address: Person
) -> None:
    link = reset_link(bob_with_everyday_address)

    sessions.end_sessions(
        bob_with_everyday_address,
        keeps_app_passwords=True,
        by=bob_with_everyday_address,
    )

    assert b"no longer works" in client.get(link, follow=True).content


def test_a_recovery_leaves_nothing_to_an_intruder(
    client: Client, signed_in: SignIn, bob_with_everyday_address: Person
) -> None:
    bob = bob_with_everyday_address
    factories.make_app_password(bob, generated_secrets.digest("k7qd-3m9x"))
    intruder = signed_in(bob)
    link = reset_link(bob)
    own = Client()

    path = own.get(link, follow=True).request["PATH_INFO"]
    own.post(path, {"password1": NEW, "password2": NEW})

    assert intruder.get("/account/").status_code == 302
    assert authentication.authenticate_person(bob.address, "k7qd-3m9x") is None


def test_short_password_is_refused(
    client: Client, bob_with_everyday_address: Person
) -> None:
    tasks.send_password_reset(bob_with_everyday_address.address)
    link = re.search(r"/account/password/\S+", mail.outbox[0].body).group()
    path = client.get(link, follow=True).request["PATH_INFO"]

    response = client.post(path, {"password1": "short", "password2": "short"})

    assert "password1" in response.context["form"].errors


def test_change_asks_for_the_old_one(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)
    typed = {"password1": NEW, "password2": NEW}

    client.post(
        reverse("account_change_password"), {**typed, "oldpassword": "not the password"}
    )
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)

    client.post(reverse("account_change_password"), {**typed, "oldpassword": PASSWORD})
    bob.refresh_from_db()
    assert bob.check_password(NEW)
    assert Entry.objects.filter(event="person.password_changed").exists()


def test_notice_of_a_change_goes_to_the_everyday_address(
    signed_in: SignIn, bob_with_everyday_address: Person
) -> None:
    client = signed_in(bob_with_everyday_address)

    client.post(
        reverse("account_change_password"),
        {"password1": NEW, "password2": NEW, "oldpassword": PASSWORD},
    )

    jobs.run_queued()
    (notice,) = mail.outbox
    assert notice.to == ["bob@everyday.example"]
    assert "Your password was changed." in notice.body


def test_a_notice_that_comes_late_says_when_the_change_was(
    bob_with_everyday_address: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_at = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: changed_at)
        tasks.tell_of_change(bob_with_everyday_address, "password_changed")

    jobs.run_queued()

    (notice,) = mail.outbox
    assert "This happened on 4 May 2026 at 10:30am." in notice.body
