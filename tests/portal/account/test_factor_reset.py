"""The owner refuses a reset of their second factor, before or after it is done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.actions import shut_mail
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.errors import PolicyError
from engine.registry.models import Person, RoleName
from onboarding import signed_links
from portal.account_admin import actions, policies
from portal.account_admin.models import FactorReset
from tests import factories, jobs
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn, give_app
from tests.security.intruder import LINK, deliver_notices

REFUSED = "person.second_factor_reset_refused"
DISOWNED = "person.second_factor_reset_disowned"
SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"


@pytest.fixture
def requested_reset(hugh: Person, bob: Person) -> FactorReset:
    """A reset that the helpdesk has requested. Bob has an everyday address."""
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@home.example")
    bob.refresh_from_db()
    give_app(bob)
    actions.reset_second_factor(bob, reason="Phone lost", by=hugh)
    return FactorReset.objects.get()


@pytest.fixture
def finished_reset(alice: Person, bob: Person) -> FactorReset:
    """A reset that an administrator has done alone. Bob has an everyday address."""
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@home.example")
    bob.refresh_from_db()
    give_app(bob)
    actions.reset_second_factor(bob, reason="Phone lost", by=alice)
    return FactorReset.objects.get()


def link_in_notice_to(address: str) -> str:
    deliver_notices()
    notices = [m.body for m in mail.outbox if m.to == [address]]
    (path,) = LINK.findall("".join(notices))
    return str(path)


def has_app(person: Person) -> bool:
    return Authenticator.objects.filter(user=person).exists()


def test_the_owner_refuses_in_their_account(
    signed_in: SignIn, bob: Person, requested_reset: FactorReset
) -> None:
    client = signed_in(bob, second_factor=True)
    path = reverse("own_factor:answer", args=[requested_reset.pk])
    assert path in client.get("/account/").text
    assert path in client.get("/account/everyday-address/").text
    assert "Phone lost" in client.get(path).text
    assert FactorReset.objects.waiting().exists()

    assert "The reset is refused" in client.post(path).text

    assert not FactorReset.objects.waiting().exists()
    assert path not in client.get("/account/").text
    assert has_app(bob)
    assert Entry.objects.get(event=REFUSED).by_key == bob.audit_key


def test_those_who_asked_and_the_administrators_hear_of_it(
    alice: Person, hugh: Person, bob: Person, requested_reset: FactorReset
) -> None:
    Person.objects.filter(pk=hugh.pk).update(everyday_address="hugh@home.example")
    deliver_notices()

    actions.stop_factor_reset(requested_reset, by=bob)

    heard = deliver_notices()
    assert {alice.address, "bob@home.example", bob.address} <= heard
    (notification,) = [m for m in mail.outbox if m.to[0].startswith("hugh@")]
    assert "was refused" in notification.body


@pytest.mark.parametrize("where", ["bob@home.example", "bob@northfield.secure.example"])
def test_the_owner_refuses_by_the_link_in_the_notice(
    client: Client, bob: Person, alice: Person, requested_reset: FactorReset, where: str
) -> None:
    path = link_in_notice_to(where)
    # An administrator is notified too, without the link.
    (notification,) = [m for m in mail.outbox if m.to == [alice.address]]
    assert not LINK.findall(notification.body)

    assert "Refuse the reset" in client.get(path).text
    assert FactorReset.objects.waiting().exists()
    for _ in range(2):
        assert "The reset is refused" in client.post(path).text

    entry = Entry.objects.get(event=REFUSED)
    assert entry.detail["refused_by"] == "the reader of a notice"
    assert has_app(bob)
    assert "Refused by: the reader of a notice" in notice_to(alice)


def notice_to(person: Person) -> str:
    assert person.address in deliver_notices()
    return "".join(m.body for m in mail.outbox if m.to == [person.address])


def test_nobody_agrees_to_what_the_owner_refused(
    alice: Person, bob: Person, requested_reset: FactorReset
) -> None:
    actions.stop_factor_reset(requested_reset, by=None)

    with pytest.raises(PolicyError, match="no longer pending"):
        actions.agree_to_factor_reset(requested_reset, by=alice)


def test_a_link_to_refuse_does_not_lock_what_was_agreed_to_meanwhile(
    client: Client, alice: Person, bob: Person, requested_reset: FactorReset
) -> None:
    path = link_in_notice_to(bob.address)
    actions.agree_to_factor_reset(requested_reset, by=alice)

    page = client.post(path).text

    assert "agreed to the reset before you refused it" in page
    assert "Lock the account" in page
    assert not Entry.objects.filter(event__in=[REFUSED, DISOWNED]).exists()
    bob.refresh_from_db()
    assert bob.has_usable_password()


def test_the_owner_locks_what_a_reset_opened_by_the_link(
    signed_in: SignIn, alice: Person, bob: Person, finished_reset: FactorReset
) -> None:
    path = link_in_notice_to("bob@home.example")
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    # Another person signs in with the password and sets up a factor of their own.
    intruder = signed_in(bob, second_factor=True)
    assert intruder.get("/account/").status_code == 200
    reader = Client()
    assert "Lock the account" in reader.get(path).text
    assert intruder.get("/account/").status_code == 200

    for _ in range(2):
        page = reader.post(path, {"disown": "1"}).text
        assert "The account is locked" in page

    assert intruder.get("/account/").status_code == 302
    assert not has_app(bob)
    assert authentication.authenticate_person(bob.address, SECRET) is None
    intruder.post("/account/login/", {"login": bob.address, "password": PASSWORD})
    assert intruder.get("/account/").status_code == 302
    bob.refresh_from_db()
    assert bob.is_mail_shut
    assert Entry.objects.filter(event=DISOWNED).count() == 1
    assert {alice.address, "bob@home.example"} <= deliver_notices()


def test_the_owner_locks_it_in_their_account_and_chooses_another_password(
    signed_in: SignIn, bob: Person, finished_reset: FactorReset
) -> None:
    client = signed_in(bob)
    path = reverse("own_factor:answer", args=[finished_reset.pk])
    assert path in client.get("/account/").text

    assert "The account is locked" in client.post(path, {"disown": "1"}).text

    assert client.get("/account/").status_code == 302
    client.post("/account/password/reset/", {"email": bob.address})
    link = next(
        m for m in _sent_to("bob@home.example") if "password/reset/key" in m.body
    )
    assert link


def _sent_to(address: str) -> list[mail.EmailMessage]:
    mail.outbox.clear()
    jobs.run_queued()
    return [m for m in mail.outbox if m.to == [address]]


def test_neither_of_two_who_agreed_opens_the_mailbox_then(
    hugh: Person, alice: Person, bob: Person, requested_reset: FactorReset
) -> None:
    actions.agree_to_factor_reset(requested_reset, by=alice)
    actions.disown_factor_reset(requested_reset, by=bob)

    for one in (hugh, alice):
        with pytest.raises(PolicyError):
            shut_mail.open_mail(bob, reason="It is them", by=one)
    other = factories.make_person("hana@secure.example")
    factories.make_staff(other, RoleName.HELPDESK_AGENT)
    shut_mail.open_mail(bob, reason="Called back", by=other)
    bob.refresh_from_db()
    assert not bob.is_mail_shut


def test_the_person_who_opens_it_is_told_that_the_owner_did_not_ask(
    signed_in: SignIn, alice: Person, bob: Person, finished_reset: FactorReset
) -> None:
    client = signed_in(alice, second_factor=True)
    at = f"/organisation/{bob.organisation_id}/people/recovery/"
    before = client.get(at).text
    actions.disown_factor_reset(finished_reset, by=None)
    latest = bob.recoveries.latest("pk")

    for path in (at, f"{at}mail/{latest.pk}/agree/"):
        assert "reports that they did not ask for this" in client.get(path).text
    assert "Mailbox locked" in before
    assert "did not ask for this" not in before


def test_nobody_else_locks_it(
    signed_in: SignIn, alice: Person, finished_reset: FactorReset
) -> None:
    client = signed_in(alice, second_factor=True)

    path = reverse("own_factor:answer", args=[finished_reset.pk])

    assert client.post(path, {"disown": "1"}).status_code == 404
    with pytest.raises(PolicyError, match="Only the owner"):
        actions.disown_factor_reset(finished_reset, by=alice)


def test_a_link_of_long_ago_locks_nothing(
    client: Client, bob: Person, finished_reset: FactorReset
) -> None:
    path = link_in_notice_to(bob.address)
    FactorReset.objects.update(done_at=timezone.now() - timedelta(days=8))

    page = client.post(path, {"disown": "1"}).text

    assert "no longer be stopped here" in page
    bob.refresh_from_db()
    assert bob.has_usable_password()


@pytest.mark.parametrize("make", [str, signed_links.address_change_token])
def test_a_made_up_link_is_nobodys(
    client: Client, requested_reset: FactorReset, make
) -> None:
    path = reverse("own_factor:by_link", args=[make(requested_reset.pk)])

    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert FactorReset.objects.waiting().exists()


def test_nothing_is_reset_for_oneself_or_while_suspended(
    alice: Person, bob: Person
) -> None:
    policies.check_can_reset(bob, by=alice)
    with pytest.raises(PolicyError, match="your own password"):
        policies.check_can_reset(alice, by=alice)

    bob.is_active = False
    with pytest.raises(PolicyError, match="Resume the account first"):
        policies.check_can_reset(bob, by=alice)
