"""The list beside an open message is the one that it was opened from."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from engine.registry.models import Person
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail.mailbox import list_place, message_list
from portal.webmail.mailbox.list_options import read_options
from portal.webmail.mailbox.list_place import RESULTS
from tests.portal.webmail.conftest import store_message


def opened(client: Client, url: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(url).content.decode(), "html.parser")


def beside(page: BeautifulSoup) -> list[str]:
    rows = page.select(".app-mail__beside .app-mail-row__subject")
    return [row.get_text() for row in rows]


def open_from(client: Client, list_url: str, message: Message) -> BeautifulSoup:
    """Opens a message by its link in a list."""
    row = opened(client, list_url).select_one(f"[data-message='{message.pk}'] a")
    return opened(client, row["href"])


@pytest.fixture
def numbered(bob: Person) -> list[Message]:
    return [
        store_message(bob.mailbox, subject=f"Number {n}", is_read=n % 2 == 0)
        for n in range(5)
    ]


def test_it_is_the_folder_with_its_filter_and_order(
    as_bob: Client, numbered: list[Message]
) -> None:
    inbox = reverse("webmail:folder", args=[numbered[0].folder_id])

    page = open_from(as_bob, f"{inbox}?show=unread&order=oldest", numbered[1])

    assert beside(page) == ["Number 1", "Number 3"]
    back = page.select_one(".app-mail__back")
    assert back.get_text() == "Back to Inbox"
    assert back["href"] == f"{inbox}?order=oldest&show=unread"
    following = page.select_one("[rel=next]")
    assert "Number 3" in following.get_text()
    assert "show=unread" in following["href"]
    assert not page.select_one("[rel=prev]")


def test_it_is_the_results_of_a_search_with_the_way_back(
    as_bob: Client, bob: Person, numbered: list[Message]
) -> None:
    filed = store_message(
        bob.mailbox, role=FolderRole.ARCHIVE, subject="Number in the archive"
    )
    store_message(bob.mailbox, subject="Something else")
    search = reverse("webmail:search", args=[bob.mailbox.pk]) + "?q=number"

    page = open_from(as_bob, search, filed)

    assert beside(page)[0] == "Number in the archive" and len(beside(page)) == 6
    back = page.select_one(".app-mail__back")
    assert back.get_text() == "Back to results" and back["href"] == search
    form = page.select_one("form:has([value=archive]), form:has([value=inbox])")
    data = {field["name"]: field["value"] for field in form.select("[type=hidden]")}
    answer = as_bob.post(form["action"], data | {"do": "junk"})
    assert answer["Location"] == search


@pytest.mark.parametrize(
    "query", ["?q=elsewhere", "?q=is:lost", "?q=in:nowhere", "?past=x"]
)
def test_a_list_without_the_message_is_its_folder(
    as_bob: Client, numbered: list[Message], query: str
) -> None:
    url = reverse("webmail:read", args=[numbered[2].pk])

    page = opened(as_bob, url + query)

    assert page.select_one(".app-mail__back").get_text() == "Back to Inbox"
    assert len(beside(page)) == 5


def test_a_conversation_takes_one_row_and_is_printed_whole(
    as_bob: Client, bob: Person
) -> None:
    head = b"From: a@firm.example\r\nSubject: Bundle\r\n"
    first = store_message(
        bob.mailbox, head + b"Message-ID: <1@firm.example>\r\n\r\nThe first words\r\n"
    )
    for n in (2, 3):
        store_message(
            bob.mailbox,
            head
            + f"Message-ID: <{n}@firm.example>\r\n".encode()
            + b"References: <1@firm.example>\r\nIn-Reply-To: <1@firm.example>\r\n"
            + f"\r\nThe words of {n}\r\n".encode(),
        )
    newest = Message.objects.latest("pk")
    assert newest.thread == first.thread

    inbox = opened(as_bob, reverse("webmail:folder", args=[first.folder_id]))
    page = opened(as_bob, reverse("webmail:read", args=[newest.pk]) + "?expand=1")
    paper = opened(as_bob, reverse("webmail:print", args=[first.pk]) + "?all=1")
    alone = opened(as_bob, reverse("webmail:print", args=[first.pk]))

    assert inbox.select_one(".app-mail-row__many").get_text() == (
        ", conversation of 3 messages"
    )
    assert beside(page) == ["Bundle"]
    assert len(page.select("details.app-conversation__one[open]")) == 2
    texts = [sheet.get_text().strip() for sheet in paper.select(".text")]
    assert texts == ["The first words", "The words of 2", "The words of 3"]
    assert len(alone.select(".text")) == 1


@pytest.mark.parametrize("conversations", [True, False])
def test_a_message_that_a_colleague_moves_meanwhile_is_shown_alone(
    bob: Person, numbered: list[Message], conversations: bool
) -> None:
    options = read_options(numbered[2].folder, QueryDict(), conversations=conversations)
    moved = Message.objects.get(pk=numbered[2].pk)
    message_actions.move([moved], folder(bob.mailbox, FolderRole.ARCHIVE))

    rows, place = message_list.around(options, numbered[2])

    assert [one.message for one in rows] == [numbered[2]] and place == 0


def test_next_and_previous_go_on_beyond_a_page_of_results(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [
        store_message(bob.mailbox, subject=f"Listed {n}") for n in range(RESULTS + 5)
    ]
    search = reverse("webmail:search", args=[bob.mailbox.pk]) + "?q=listed"
    page = open_from(as_bob, search, stored[5])
    seen = []
    for _ in range(2):
        page = opened(as_bob, page.select_one("[rel=next]")["href"])
        seen.append(page.h1.get_text().strip())

    assert seen == ["Listed 4", "Listed 3"]
    back = page.select_one(".app-mail__back")["href"]
    assert back.endswith(f"past={stored[5].pk}")
    for _ in range(2):
        page = opened(as_bob, page.select_one("[rel=prev]")["href"])
    assert page.h1.get_text().strip() == "Listed 5"
    assert page.select_one(".app-mail__back")["href"].endswith("q=listed")
    ended = opened(as_bob, f"{address(stored[0])}?q=listed&past={stored[3].pk}")
    assert ended.select_one("[rel=next]") is None
    # Where more than a page is newer, the one before begins after what is newer still.
    monkeypatch.setattr(list_place, "RESULTS", 2)
    last = opened(as_bob, f"{address(stored[2])}?q=listed&past={stored[3].pk}")
    newer = last.select_one("[rel=prev]")
    assert "Listed 3" in newer.get_text() and f"past={stored[5].pk}" in newer["href"]


def address(message: Message) -> str:
    return reverse("webmail:read", args=[message.pk])
