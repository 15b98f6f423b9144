"""The list of tickets: searched, counted, and acted on several at a time."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.test import Client
from django.urls import reverse

from engine.audit.models import Entry as AuditEntry
from engine.registry.models import Person, RoleName
from portal.helpdesk.actions import tickets
from portal.helpdesk.models import CannedReply, Ticket
from portal.helpdesk.status import Category, EntryKind, Status
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import OpenTicket

LIST = "desk:index"
BULK = "desk:bulk"


@pytest.fixture
def canned() -> CannedReply:
    return CannedReply.objects.create(
        title="Restart", category=Category.OTHER, text="Dear {name}, please restart."
    )


def listed(client: Client, **query: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(reverse(LIST), query).content, "lxml")


def numbers(page: BeautifulSoup) -> set[str]:
    return {str(box["value"]) for box in page.select("input[name=ticket]")}


def act(client: Client, do: str, *chosen: Ticket, **typed: object) -> BeautifulSoup:
    page = listed(client)
    seen = {
        str(box["name"]): str(box["value"]) for box in page.select("input[name^=seen-]")
    }
    given = {"do": do, "ticket": [one.pk for one in chosen], **seen, **typed}
    answer = client.post(reverse(BULK), given, follow=True)
    return BeautifulSoup(answer.content, "lxml")


@pytest.mark.parametrize(
    "typed", ["password", "PT-{pk}", "{pk}", "alice", "ALICE northfield"]
)
def test_search_finds_by_number_words_and_requester(
    staff_client: Client,
    open_ticket: OpenTicket,
    alice: Person,
    bob: Person,
    typed: str,
) -> None:
    sought = open_ticket(alice, subject="My password")
    open_ticket(bob, subject="A folder")

    page = listed(staff_client, q=typed.format(pk=sought.pk))

    assert numbers(page) == {str(sought.pk)}


def test_each_state_shows_how_many_there_are(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    open_ticket(bob)
    tickets.assign(open_ticket(bob), hugh, by=hugh)
    tickets.move(open_ticket(bob), Status.CLOSED, by=hugh)

    tabs = [
        tab.get_text(" ", strip=True) for tab in listed(staff_client).select("li a")
    ]

    for said in ("All open 2", "Mine 1", "Unassigned 1", "Closed 1", "Solved 0"):
        assert f"{said} tickets" in tabs


def test_several_are_assigned(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    chosen = [open_ticket(bob), open_ticket(bob)]
    other = open_ticket(bob)

    page = act(staff_client, "assign", *chosen, owner=hugh.pk)

    assert "2 tickets assigned" in page.text
    assert set(Ticket.objects.filter(owner=hugh)) == set(chosen)
    assert AuditEntry.objects.filter(event="ticket.assigned").count() == 2
    other.refresh_from_db()
    assert other.owner is None


def test_closing_asks_first_and_names_what_it_left(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    closed, open_one = open_ticket(bob), open_ticket(bob)
    tickets.move(closed, Status.CLOSED, by=hugh)

    asked = act(staff_client, "close", closed, open_one)
    before = Ticket.objects.get(pk=open_one.pk).status
    done = act(staff_client, "close", closed, open_one, confirmed="1")

    assert "Close these tickets?" in asked.text
    assert before == Status.NEW
    assert "1 ticket closed" in done.text
    assert f"Left as it was: {closed.number}" in done.text
    assert Ticket.objects.get(pk=open_one.pk).status == Status.CLOSED


def test_a_canned_reply_goes_to_each_with_its_own_words(
    staff_client: Client,
    open_ticket: OpenTicket,
    alice: Person,
    bob: Person,
    canned: CannedReply,
) -> None:
    first, second = open_ticket(alice), open_ticket(bob)

    act(staff_client, "reply", first, second, canned=canned.pk, confirmed="1")

    for ticket in (first, second):
        reply = ticket.entries.get(kind=EntryKind.REPLY)
        assert reply.text == f"Dear {ticket.requester_name}, please restart."


def test_what_was_added_meanwhile_is_read_before_a_reply(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, canned: CannedReply
) -> None:
    ticket = open_ticket(bob)
    seen = {f"seen-{ticket.pk}": str(ticket.entries.latest("pk").pk)}
    tickets.add_request(ticket, "It works again.", by=bob)
    typed = {"do": "reply", "ticket": ticket.pk, "canned": canned.pk, "confirmed": "1"}

    answer = staff_client.post(reverse(BULK), typed | seen, follow=True)

    assert "while you were writing" in answer.content.decode()
    assert not ticket.entries.filter(kind=EntryKind.REPLY).exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"do": "close"}, "Choose one ticket or more"),
        ({"do": "assign", "owner": "bob"}, "Choose an agent of the helpdesk"),
        ({"do": "reply", "canned": "9"}, "Choose a canned reply"),
        ({"do": "erase"}, "Choose what to do"),
    ],
)
def test_what_is_missing_is_said(
    staff_client: Client,
    open_ticket: OpenTicket,
    bob: Person,
    typed: dict[str, str],
    said: str,
) -> None:
    ticket = open_ticket(bob)
    chosen = {} if said.startswith("Choose one") else {"ticket": ticket.pk}

    answer = staff_client.post(reverse(BULK), {**typed, **chosen}, follow=True)

    assert said in answer.content.decode()


def test_auditors_read_and_act_on_nothing(
    signed_in: SignIn, open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)
    auditor = factories.make_person("amy@secure.example")
    factories.make_staff(auditor, RoleName.AUDITOR)
    client = signed_in(auditor, second_factor=True)

    page = listed(client)
    refused = client.post(
        reverse(BULK), {"do": "close", "ticket": ticket.pk, "confirmed": "1"}
    )

    assert ticket.subject in page.text
    assert not page.select("input[name=ticket]")
    assert refused.status_code in (302, 403)
    assert Ticket.objects.get(pk=ticket.pk).status == Status.NEW


@pytest.mark.parametrize("name", [LIST, "desk:canned", "wagtailadmin_home"])
def test_titles_end_in_the_name_of_the_service(staff_client: Client, name: str) -> None:
    page = BeautifulSoup(staff_client.get(reverse(name)).content, "lxml")

    assert page.title is not None
    assert page.title.text.strip().endswith(f"- {settings.POSTERN.community_name}")
