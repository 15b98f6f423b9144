"""Searching delivered mail, and withdrawing it, on the console's pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.incidents import key_index
from engine.incidents.models import Withdrawal, WithdrawalState
from engine.registry.models import Person, RoleName
from engine.storage.models import WithdrawnCopy
from tests import factories
from tests.jobs import run_queued
from tests.portal.conftest import SignIn, sign_in
from tests.portal.organisation.mail.test_trace import send

SEARCH = "/admin/delivered/"
LIST = "/admin/withdrawals/"


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    return signed_in(olive, second_factor=True)


@pytest.fixture
def reference(alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> str:
    """A message from Alice to Bob that is indexed."""
    monkeypatch.setattr(key_index, "LAG", timedelta(0))
    reference = send(alice, bob)
    key_index.index_new()
    return reference


def others() -> list[Client]:
    found = []
    for name in ("oscar", "otto"):
        person = factories.make_person(f"{name}@secure.example")
        factories.make_staff(person, RoleName.OPERATOR)
        found.append(sign_in(Client(), person, second_factor=True))
    return found


def test_three_operators_withdraw_what_one_found_and_put_it_back(
    staff_client: Client, reference: str, alice: Person
) -> None:
    found = staff_client.get(SEARCH, {"sender": alice.address})
    page = found.content.decode()
    assert "1 message found" in page
    assert reference in page
    assert "1 unopened in mailboxes" in page
    approvers = others()
    asked = f"{LIST}ask/?sender={alice.address}"
    assert "1 message." in staff_client.get(asked).content.decode()
    made = staff_client.post(asked, {"reason": "Phishing"}, follow=True)
    own = made.redirect_chain[0][0]
    assert f"{own}agree/" not in made.content.decode()

    for approver in approvers:
        assert f"{own}agree/" in approver.get(own).content.decode()
        approver.post(f"{own}agree/")
    run_queued()

    done = staff_client.get(own).content.decode()
    assert "Copies withdrawn" in done
    assert WithdrawnCopy.objects.count() == 1
    assert (
        "1 withdrawn"
        in staff_client.get(SEARCH, {"sender": alice.address}).content.decode()
    )
    back = staff_client.post(f"{own}back/", {"reason": "Harmless"}, follow=True)
    assert "Approvals: 0 of 2" in back.content.decode()
    undone = Withdrawal.objects.get(undoes__isnull=False)
    for approver in approvers:
        approver.post(f"{LIST}{undone.pk}/agree/")
    run_queued()
    assert not WithdrawnCopy.objects.exists()


def test_the_asker_cannot_approve_and_may_take_it_back(
    staff_client: Client, reference: str, alice: Person
) -> None:
    ask = f"{LIST}ask/?sender={alice.address}"
    alone = staff_client.post(ask, {"reason": "Phishing"}).content.decode()
    assert "2 other operators must approve this, and none could" in alone
    others()
    staff_client.post(ask, {"reason": "Phishing"})
    row = Withdrawal.objects.get()

    answer = staff_client.post(f"{LIST}{row.pk}/agree/").content.decode()
    assert "two other operators must approve it" in answer
    staff_client.post(f"{LIST}{row.pk}/refuse/", {"reason": "Mistaken"})

    row.refresh_from_db()
    assert row.state == WithdrawalState.REFUSED


def test_a_search_is_recorded_and_shows_nothing_of_what_a_message_says(
    staff_client: Client, reference: str, alice: Person, bob: Person
) -> None:
    subject = bob.mailbox.messages.get().subject

    page = staff_client.get(SEARCH, {"sender": alice.address}).content.decode()

    assert subject not in page
    entry = Entry.objects.get(event="delivered.searched")
    assert entry.detail == {"sender": alice.address}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"file": "abc"}, "Enter the SHA-256"),
        ({"sender": "jane"}, "Enter the whole address"),
        ({"subject": "x", "since": "2020-01-01"}, "Search at most a year"),
        ({"since": "2026-01-01"}, "Enter at least one thing"),
        ({"subject": "something else"}, "No message meets these criteria"),
    ],
)
def test_what_cannot_be_found_is_said(
    staff_client: Client, reference: str, query: dict[str, str], said: str
) -> None:
    assert said in staff_client.get(SEARCH, query).content.decode()


def test_a_search_asks_as_much_for_many_messages(
    staff_client: Client,
    reference: str,
    alice: Person,
    bob: Person,
    django_assert_max_num_queries: object,
) -> None:
    for _ in range(3):
        send(alice, bob)
    key_index.index_new()
    staff_client.get(SEARCH, {"sender": alice.address})

    with django_assert_max_num_queries(32):
        staff_client.get(SEARCH, {"sender": alice.address})
