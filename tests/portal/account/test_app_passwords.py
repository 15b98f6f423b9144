from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from engine.registry.actions import people
from engine.registry.credentials import authentication
from engine.registry.models import AppPassword, Organisation, Person
from tests import factories, jobs
from tests.portal.conftest import SignIn

LIST = "/account/app-passwords/"


def test_secret_is_shown_once_and_works(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)

    response = client.post(LIST, {"name": "Phone"})

    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert authentication.authenticate_person(bob.address, secret) == bob
    assert secret not in client.get(LIST).content.decode()


def test_program_may_go_by_every_mailbox_that_the_person_reads(
    signed_in: SignIn, bob: Person, northfield: Organisation
) -> None:
    team = factories.make_group_mailbox("a@northfield.secure.example", northfield)
    unread = factories.make_group_mailbox("b@northfield.secure.example", northfield)
    factories.make_grant(team, bob, can_read=True)
    factories.make_grant(unread, bob, can_send=True)

    page = signed_in(bob).get(LIST)

    assert page.context["addresses"] == [bob.address, team.address]


def test_who_has_no_mailbox_here_is_offered_none(
    signed_in: SignIn, firm: Organisation
) -> None:
    client = signed_in(factories.make_person("tom@firm.example.secure.example", firm))

    assert "App passwords" not in client.get("/account/").content.decode()
    assert "You have no mailbox here" in client.get(LIST).content.decode()


def test_it_ends_by_itself_when_asked_to(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)
    secret = client.post(LIST, {"name": "Phone", "lasts": "30"}).context["secret"]

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert authentication.authenticate_person(bob.address, secret) is None
        assert "Phone" not in client.get(LIST).content.decode()


def test_it_ends_as_many_dates_later(signed_in: SignIn, bob: Person) -> None:
    made = datetime(2026, 3, 15, 23, 30, tzinfo=UTC)
    with time_machine.travel(made, tick=False):
        signed_in(bob).post(LIST, {"name": "Phone", "lasts": "30"})

    [password] = AppPassword.objects.all()
    assert timezone.localtime(password.expires_at).isoformat() == (
        "2026-04-14T23:30:00+01:00"
    )


def test_person_is_told_that_one_was_made(signed_in: SignIn, bob: Person) -> None:
    bob.everyday_address = "bob@home.example"
    bob.save()

    signed_in(bob).post(LIST, {"name": "Phone"})
    jobs.run_queued()

    [notice] = mail.outbox
    assert notice.to == ["bob@home.example"]
    assert "An app password for a mail program was made" in notice.body
    assert "Phone" not in notice.body


def test_who_signed_in_long_ago_says_who_they_are_again(
    signed_in: SignIn, bob: Person
) -> None:
    client = signed_in(bob)

    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        response = client.post(LIST, {"name": "Phone"})

    assert response["Location"].startswith("/account/reauthenticate/")
    assert not bob.app_passwords.exists()


def test_name_is_asked_for(signed_in: SignIn, bob: Person) -> None:
    response = signed_in(bob).post(LIST, {"name": " "})

    assert "Enter a name for the device or program" in response.content.decode()
    assert not bob.app_passwords.exists()


def test_revoked_one_signs_nobody_in(signed_in: SignIn, bob: Person) -> None:
    made, secret = people.add_app_password(bob, name="Phone", by=bob)
    client = signed_in(bob)
    path = reverse("account:revoke_app_password", args=[made.pk])

    assert client.get(path).status_code == 200
    assert authentication.authenticate_person(bob.address, secret) == bob
    client.post(path)

    assert authentication.authenticate_person(bob.address, secret) is None
    assert "Phone" not in client.get(LIST).context["app_passwords"]


def test_somebody_elses_does_not_exist(
    signed_in: SignIn, bob: Person, charlie: Person
) -> None:
    made, _ = people.add_app_password(charlie, name="Phone", by=charlie)

    response = signed_in(bob).post(
        reverse("account:revoke_app_password", args=[made.pk])
    )

    assert response.status_code == 404
    made.refresh_from_db()
    assert made.revoked_at is None
