"""Choosing notices of new mail, and proving the everyday address."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.models import Mailbox, Organisation, Person
from portal.webmail.arrival_notices import choice
from portal.webmail.models import ArrivalNotice, Period
from tests import factories
from tests.jobs import run_queued
from tests.portal.conftest import SignIn
from tests.portal.webmail.arrival_notices.conftest import HOME, notify
from tests.security.intruder import LINK

pytestmark = pytest.mark.django_db
PAGE = "/mail/arrival-notices/"
ACCOUNT = "/account/"


@pytest.fixture
def team(northfield: Organisation, bob: Person) -> Mailbox:
    made = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    factories.make_grant(made, bob, can_read=True)
    return made


def save(client: Client, period: str, *mailboxes: Mailbox) -> str:
    form = {"period": period, "mailboxes": [one.pk for one in mailboxes]}
    return client.post(PAGE, form, follow=True).text


def links_to(address: str) -> list[str]:
    run_queued()
    bodies = [str(one.body) for one in mail.outbox if one.to == [address]]
    return [found.group(1) for body in bodies if (found := LINK.search(body))]


def test_notices_begin_when_the_link_was_opened_and_confirmed(
    as_bob: Client, bob: Person
) -> None:
    assert ">Off<" in as_bob.get(ACCOUNT).text

    page = save(as_bob, "hourly", bob.mailbox)

    assert f"Open the link that we sent to {HOME}" in page
    [path] = links_to(HOME)
    opened = as_bob.get(path).text
    assert not choice.notice_of(bob).is_proved
    assert "<wbr>home" in opened
    confirmed = as_bob.post(path, follow=True).text
    assert "Your everyday address is confirmed." in confirmed
    assert choice.notice_of(bob).is_proved
    assert ">Once an hour<" in as_bob.get(ACCOUNT).text
    events = Entry.objects.filter(by_key=str(bob.pk)).values_list("event", flat=True)
    assert {"person.arrival_notices_chosen", "person.everyday_address_proved"} <= {
        *events
    }


def test_somebody_else_cannot_confirm(
    signed_in: SignIn, alice: Person, bob: Person
) -> None:
    alice.everyday_address = HOME
    alice.save()
    path = reverse("webmail:prove_everyday_address", args=[choice.proof_token(bob)])
    as_alice = signed_in(alice, second_factor=True)

    assert "This link does not work" in as_alice.post(path).text
    assert Client().post(path).status_code == 302
    assert not ArrivalNotice.objects.exclude(proved_address="").exists()


def test_old_link_and_link_to_an_earlier_address_do_not_work(
    as_bob: Client, bob: Person
) -> None:
    token = choice.proof_token(bob)
    path = reverse("webmail:prove_everyday_address", args=[token])
    later = timezone.now() + choice.LINK_LIFETIME + timedelta(minutes=1)
    with time_machine.travel(later):
        assert not choice.is_proof(bob, token)
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@new.example")

    assert "This link does not work" in as_bob.get(path).text
    assert "This link does not work" in as_bob.post(path).text


def test_another_everyday_address_has_to_be_confirmed_again(
    as_bob: Client, bob: Person
) -> None:
    notify(bob, bob.mailbox)
    assert "which you confirmed on" in as_bob.get(PAGE).text
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@new.example")

    assert "as soon as you have confirmed" in as_bob.get(PAGE).text
    assert ">Off<" in as_bob.get(ACCOUNT).text


def test_links_are_not_sent_one_after_another(as_bob: Client, bob: Person) -> None:
    save(as_bob, "daily", bob.mailbox)
    again = as_bob.post(f"{PAGE}link/", follow=True).text
    save(as_bob, "hourly", bob.mailbox)
    assert "less than two minutes ago" in again
    assert len(links_to(HOME)) == 1
    ago = timezone.now() - timedelta(minutes=3)
    ArrivalNotice.objects.update(link_sent_at=ago)

    as_bob.post(f"{PAGE}link/")

    assert len(links_to(HOME)) == 2


def test_the_page_suggests_an_hour_and_the_own_mailbox(
    as_bob: Client, bob: Person, team: Mailbox
) -> None:
    page = as_bob.get(PAGE)

    form = page.context["form"]
    assert form["period"].value() == Period.HOURLY
    assert form["mailboxes"].value() == [str(bob.mailbox.pk)]
    assert team.address in page.text
    assert not ArrivalNotice.objects.exists()


def test_members_with_a_server_of_their_own_are_suggested_nothing(
    signed_in: SignIn, firm: Organisation, team: Mailbox
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    jane.everyday_address = "jane@firm.example"
    jane.save()
    client = signed_in(jane)
    assert "You read no mailbox here." in client.get(PAGE).text
    factories.make_grant(team, jane, can_read=True)

    form = client.get(PAGE).context["form"]

    assert form["period"].value() == Period.NEVER
    assert form["mailboxes"].value() == []


def test_each_member_chooses_for_a_group_mailbox(
    as_bob: Client, alice: Person, bob: Person, team: Mailbox
) -> None:
    factories.make_grant(team, alice, can_read=True)
    save(as_bob, "daily", team)

    [notice] = ArrivalNotice.objects.all()
    assert notice.person == bob
    assert [one.mailbox for one in notice.noticed.all()] == [team]
    save(as_bob, "never")
    notice.refresh_from_db()
    assert notice.period == Period.NEVER
    assert not notice.noticed.exists()


def test_choices_that_cannot_be_are_refused(
    as_bob: Client, alice: Person, bob: Person
) -> None:
    assert "Select at least one mailbox" in save(as_bob, "daily")
    assert "Select how often" in save(as_bob, "", bob.mailbox)
    assert "Select a valid choice" in save(as_bob, "daily", alice.mailbox)
    assert not ArrivalNotice.objects.exists()


def test_without_an_everyday_address_the_page_says_what_to_do(
    as_bob: Client, bob: Person
) -> None:
    Person.objects.filter(pk=bob.pk).update(everyday_address="")

    assert "You have no everyday address." in as_bob.get(PAGE).text
    assert "Add an everyday address" in save(as_bob, "daily", bob.mailbox)


@pytest.mark.parametrize(
    "address", ["alice@northfield.secure.example", "nobody@secure.example"]
)
def test_an_address_inside_the_community_will_not_do(
    as_bob: Client, alice: Person, bob: Person, address: str
) -> None:
    Person.objects.filter(pk=bob.pk).update(everyday_address=address)

    assert "inside this service" in as_bob.get(PAGE).text
    assert "inside this service" in save(as_bob, "daily", bob.mailbox)
    assert "inside this service" in as_bob.post(f"{PAGE}link/", follow=True).text
    assert links_to(address) == []
