"""Webmail shows address and organisation beside every display name."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from engine.mail.composer import Attachment
from engine.registry.models import Organisation, Person
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail.contacts import actions
from portal.webmail.contacts.contact_card import Card
from tests import factories
from tests.portal.webmail.conftest import compose_message, named_address, store_message

NAME = "Alice Gray"
REAL = "alice@northfield.secure.example"
NAMESAKE = "charlie@harbour.secure.example"

pytestmark = pytest.mark.usefixtures("alice", "charlie")


def soup(client: Client, name: str, query: str = "", **args: object) -> BeautifulSoup:
    answer = client.get(reverse(f"webmail:{name}", kwargs=args) + query, follow=True)
    # <wbr> is no part of an address.
    return BeautifulSoup(answer.content.replace(b"<wbr>", b""), "html.parser")


def lines(page: BeautifulSoup) -> list[tuple[str, str]]:
    """Returns names and addresses of each row of a list."""
    return [
        (_text(row, ".app-mail-row__who"), _text(row, ".app-mail-row__from"))
        for row in page.select(".app-mail-row")
    ]


def _text(row: BeautifulSoup, where: str) -> str:
    found = row.select_one(where)
    return " ".join(found.get_text(" ").split()) if found else ""


def sent_to(bob: Person, *to: tuple[str, str], **over: object) -> Message:
    role = over.pop("role", FolderRole.SENT)
    over = {"sender": named_address("Bob", bob.address), **over}
    return store_message(
        bob.mailbox, role=role, to=[named_address(*one) for one in to], **over
    )


@pytest.mark.parametrize("role", [FolderRole.SENT, FolderRole.DRAFTS])
def test_namesakes_are_told_apart_among_what_was_written(
    as_bob: Client, bob: Person, role: FolderRole
) -> None:
    for address in (REAL, NAMESAKE):
        sent_to(bob, (NAME, address), role=role)
    place = folder(bob.mailbox, role)

    page = soup(as_bob, "folder", folder_id=place.pk)

    assert lines(page) == [
        (f"To {NAME}", f"{NAMESAKE} · , Harbour Chambers"),
        (f"To {NAME}", f"{REAL} · , Northfield Court"),
    ]


def test_namesakes_are_told_apart_among_what_came(as_bob: Client, bob: Person) -> None:
    for address in (REAL, NAMESAKE):
        store_message(bob.mailbox, sender=named_address(NAME, address))
    inbox = folder(bob.mailbox, FolderRole.INBOX)

    page = soup(as_bob, "folder", folder_id=inbox.pk)

    assert [whose for _, whose in lines(page)] == [
        f"{NAMESAKE} · , Harbour Chambers",
        f"{REAL} · , Northfield Court",
    ]


def test_of_many_recipients_each_name_that_is_shown_has_its_address(
    as_bob: Client, bob: Person
) -> None:
    third = ("Third", "third@firm.example")
    message = sent_to(bob, (NAME, NAMESAKE), ("", REAL), third, (NAME, NAMESAKE))

    page = soup(as_bob, "folder", folder_id=message.folder_id)

    assert lines(page) == [
        (
            f"To {NAME} , {REAL} and 1 more",
            f"{NAMESAKE} · , Harbour Chambers , {REAL} · , Northfield Court and 1 more",
        )
    ]


def test_a_draft_to_nobody_yet_says_so(as_bob: Client, bob: Person) -> None:
    message = sent_to(bob, role=FolderRole.DRAFTS)

    page = soup(as_bob, "folder", folder_id=message.folder_id)

    assert lines(page) == [("To (no recipients)", "")]


def test_a_search_says_of_what_was_sent_to_whom(as_bob: Client, bob: Person) -> None:
    sent_to(bob, (NAME, NAMESAKE))
    store_message(bob.mailbox, sender=named_address(NAME, REAL))

    page = soup(as_bob, "search", "?q=hearing", mailbox_id=bob.mailbox.pk)

    assert lines(page) == [
        (NAME, f"{REAL} · , Northfield Court"),
        (f"To {NAME}", f"{NAMESAKE} · , Harbour Chambers"),
    ]
    # Visible, as other rows of this list name senders.
    to = page.select(".app-mail-row__name")[1].span
    assert to.get_text() == "To " and "class" not in to.attrs


def test_the_list_beside_a_message_shows_whose_each_is(
    as_bob: Client, bob: Person
) -> None:
    message = sent_to(bob, (NAME, NAMESAKE))

    page = soup(as_bob, "read", message_id=message.pk)

    assert lines(page) == [(f"To {NAME}", f"{NAMESAKE} · , Harbour Chambers")]


@pytest.mark.parametrize("role", [FolderRole.SENT, FolderRole.DRAFTS])
def test_a_list_of_recipients_costs_the_same_however_long(
    as_bob: Client,
    bob: Person,
    django_assert_num_queries: DjangoAssertNumQueries,
    role: FolderRole,
) -> None:
    message = sent_to(bob, (NAME, REAL), role=role)
    soup(as_bob, "folder", folder_id=message.folder_id)
    for number in range(5):
        sent_to(bob, (NAME, NAMESAKE), (NAME, f"n{number}@firm.example"), role=role)
    soup(as_bob, "folder", folder_id=message.folder_id)  # makes the previews

    # The queries of the Inbox, including the count of conversations, and one for
    # headers.
    with django_assert_num_queries(6):
        soup(as_bob, "folder", folder_id=message.folder_id)


def test_a_file_to_take_care_with_names_its_sender_with_the_address(
    as_bob: Client, bob: Person
) -> None:
    file = Attachment("Sign in.html", "text/html", b"<form>Password")
    message = store_message(
        bob.mailbox, sender=named_address(NAME, NAMESAKE), attachments=[file]
    )

    page = soup(as_bob, "part", message_id=message.pk, path="2")

    assert f"expected it from {NAME} <{NAMESAKE}>" in page.get_text()


def test_paper_says_whose_the_message_is(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, sender=named_address(NAME, NAMESAKE))

    text = " ".join(soup(as_bob, "print", message_id=message.pk).get_text().split())

    assert f"{NAME} <{NAMESAKE}>" in text
    assert "Known: From Harbour Chambers" in text


def forwarded(client: Client, message: Message) -> list[str]:
    """Returns the header lines above a forwarded message."""
    answer = client.post(reverse("webmail:forward", args=[message.pk]), follow=True)
    page = BeautifulSoup(answer.content, "html.parser")
    text = page.select_one("textarea").get_text()
    return text.partition("Forwarded message\n")[2].partition("\n\n")[0].split("\n")


def test_what_is_sent_on_names_people_with_their_addresses(
    as_bob: Client, bob: Person
) -> None:
    hidden = b"From: =?utf-8?q?=E2=80=AEAlice_Gray?= <" + NAMESAKE.encode() + b">\r\n"
    rest = compose_message(
        to=[named_address(NAME, bob.address), named_address("", REAL)]
    )
    message = store_message(bob.mailbox, hidden + rest.partition(b"\r\n")[2])

    said = forwarded(as_bob, message)

    assert f"From: {NAME} <{NAMESAKE}>" in said
    assert f"To: {NAME} <{bob.address}>, {REAL}" in said


def test_no_name_is_so_long_that_what_is_sent_on_loses_the_address(
    as_bob: Client, bob: Person
) -> None:
    long = named_address("A very long name " * 90, NAMESAKE)
    crowd = [
        named_address(f"Number {n} of the people", f"n{n}@firm.example")
        for n in range(99)
    ]
    message = store_message(bob.mailbox, sender=long, to=crowd)

    said = forwarded(as_bob, message)

    senders = next(line for line in said if line.startswith("From: "))
    to = next(line for line in said if line.startswith("To: "))
    assert senders.endswith(f" <{NAMESAKE}>") and len(senders) < 300
    assert to.endswith("more") and to.count("<") == to.count(">") > 10


@pytest.mark.parametrize(
    ("typed", "listed", "is_warned"),
    [
        (NAME, "Charlie Stone", True),
        ("Charlie Gray", "Charlie Stone", True),
        ("Charlie", "Charlie Stone", False),
        ("Charlie Stone, Harbour", "Charlie Stone", False),
    ],
)
def test_a_reply_warns_of_a_name_that_is_not_the_directorys(
    as_bob: Client,
    bob: Person,
    harbour: Organisation,
    typed: str,
    listed: str,
    is_warned: bool,
) -> None:
    stone = factories.make_person("stone@harbour.secure.example", harbour, name=listed)
    factories.make_mailbox(stone)
    message = store_message(bob.mailbox, sender=named_address(typed, stone.address))

    text = soup(as_bob, "reply", message_id=message.pk).get_text()

    assert stone.address in text
    assert (f"You wrote {typed}, the directory says {listed}" in text) is is_warned


def test_a_name_from_right_to_left_turns_no_address_round(
    as_bob: Client, bob: Person
) -> None:
    """Name and address are isolated from each other (UAX #9)."""
    name = "\u05e2\u05d3\u05e0\u05d4"
    first = store_message(bob.mailbox, sender=named_address(name, NAMESAKE))
    store_message(
        bob.mailbox,
        sender=named_address(name, NAMESAKE),
        in_reply_to=first.message_id,
        references=first.message_id,
    )

    page = soup(as_bob, "read", message_id=first.pk)
    second = soup(as_bob, "read", message_id=first.pk + 1)

    for found in (
        page.select_one(".app-message__later"),
        second.select_one(".app-conversation__who"),
    ):
        isolated = [part.get_text() for part in found.find_all("bdi")]
        assert isolated == [name, f"<{NAMESAKE}>"]


def test_a_contact_out_of_somebody_elses_file_has_a_name_fit_to_show(
    as_bob: Client, bob: Person
) -> None:
    actions.import_cards(bob, [Card("\u202eyarG ecilA", NAMESAKE)])

    assert bob.contacts.get().name == "yarG ecilA"
