"""What pages of webmail load when their mailbox has changed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.registry.models import Mailbox, Person
from engine.storage import mailbox_changes, message_actions
from engine.storage.models import FolderRole, Label
from engine.storage.organising import labels
from engine.storage.standard_folders import folder, inbox
from portal.sessions.store import FACTS
from portal.webmail.mailbox.message_list import PAGE_SIZE
from tests import factories
from tests.portal.webmail.conftest import store_message


def soup(client: Client, url: str) -> BeautifulSoup:
    answer = client.get(url)
    assert answer.status_code == 200
    return BeautifulSoup(answer.content, "html.parser")


def state_of(page: BeautifulSoup) -> dict[str, str]:
    return page.select_one("[data-live-mailbox]").attrs


def region(page: BeautifulSoup, name: str) -> str:
    return " ".join(page.select_one(f'[data-live-region="{name}"]').get_text().split())


def number(mailbox: Mailbox) -> int:
    return mailbox_changes.numbers([mailbox.pk])[mailbox.pk]


def test_a_fragment_is_the_page_without_its_frame(as_bob: Client, bob: Person) -> None:
    for subject in ("First", "Second"):
        store_message(bob.mailbox, subject=subject)
    url = reverse("webmail:folder", args=[inbox(bob.mailbox).pk])

    page = soup(as_bob, url)
    fresh = soup(as_bob, state_of(page)["data-live-url"])

    assert fresh.title.get_text() == page.title.get_text()
    assert not fresh.select("header, footer")
    for name in ("folders", "head", "withdrawn", "list"):
        assert region(fresh, name) == region(page, name)
    keys = [row["data-live-key"] for row in fresh.select(".app-mail-row")]
    assert keys == [row["data-live-key"] for row in page.select(".app-mail-row")]
    assert state_of(fresh)["data-live-number"] == str(number(bob.mailbox))


def test_it_shows_the_same_part_of_the_list(as_bob: Client, bob: Person) -> None:
    for count in range(PAGE_SIZE + 2):
        store_message(bob.mailbox, subject=f"Subject {count}", is_read=count % 2 == 0)
    url = reverse("webmail:folder", args=[inbox(bob.mailbox).pk])
    first = soup(as_bob, url)

    following = soup(as_bob, url + first.select_one("a[rel=next]")["href"][len(url) :])
    shown = soup(as_bob, state_of(following)["data-live-url"])
    unread = soup(as_bob, f"{url}?show=unread")

    assert "Subject 1" in region(shown, "list")
    assert "Subject 40" not in region(shown, "list")
    assert "show=unread" in state_of(unread)["data-live-url"]
    assert first.select_one("#messages").has_attr("data-live-more")
    assert not shown.select_one("#messages").has_attr("data-live-more")


def test_what_came_is_said_in_words(as_bob: Client, bob: Person) -> None:
    store_message(bob.mailbox, subject="Old")
    url = reverse("webmail:folder", args=[inbox(bob.mailbox).pk])
    state = state_of(soup(as_bob, url))

    def said() -> str:
        query = f"&since={state['data-live-since']}"
        fresh = soup(as_bob, state["data-live-url"] + query)
        return " ".join(fresh.select_one("[data-live-news]").get_text().split())

    before = said()
    store_message(bob.mailbox, subject="Draft", role=FolderRole.DRAFTS)
    store_message(bob.mailbox, subject="Prize", role=FolderRole.JUNK)
    store_message(bob.mailbox, subject="Read elsewhere", is_read=True)
    silent = said()
    store_message(bob.mailbox, subject="Listing")
    one = said()
    store_message(bob.mailbox, subject="Bundle")
    two = said()
    for _ in range(20):
        store_message(bob.mailbox, subject="Reminder")

    assert before == silent == ""
    assert one.startswith("New message from Jane Jones")
    assert one.endswith(": Listing")
    assert two.startswith("2 new messages. The newest is from Jane Jones")
    assert said().startswith("More than 20 new messages.")


def test_other_pages_load_the_counts_alone(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, subject="Listing")
    page = soup(as_bob, reverse("webmail:read", args=[message.pk]))
    store_message(bob.mailbox, subject="Bundle")

    state = state_of(page)
    fresh = soup(as_bob, f"{state['data-live-url']}?since={state['data-live-since']}")

    assert "Inbox , 1 unread" in region(fresh, "folders")
    assert "Bundle" in fresh.select_one("[data-live-news]").get_text()
    assert fresh.title is None


@pytest.mark.parametrize("name", ["live_folder", "live_mailbox"])
def test_nothing_of_others(
    as_bob: Client, alice: Person, charlie: Person, team: Mailbox, name: str
) -> None:
    for mailbox in (alice.mailbox, charlie.mailbox, team):
        of_folder = name == "live_folder"
        argument = inbox(mailbox).pk if of_folder else mailbox.pk
        url = reverse(f"webmail:{name}", args=[argument])
        assert as_bob.get(url).status_code == 404


def test_numbers_of_the_readable_mailboxes(
    as_bob: Client, bob: Person, alice: Person, team: Mailbox
) -> None:
    url = reverse("webmail:live_numbers")
    store_message(team)
    before = as_bob.get(url).json()
    factories.make_grant(team, bob, can_read=True)

    after = as_bob.get(url).json()
    streamed = as_bob.get(reverse("webmail:live_events"))

    assert list(before) == [str(bob.mailbox.pk)]
    assert after == before | {str(team.pk): number(team)}
    assert streamed["Content-Type"] == "text/event-stream"
    assert json.loads(streamed.content.decode().rpartition("data: ")[2]) == after


def test_every_change_has_another_number(bob: Person) -> None:
    mailbox = bob.mailbox
    seen = [number(mailbox)]

    def note() -> None:
        seen.append(number(mailbox))

    message = store_message(mailbox)
    note()
    message_actions.mark_read([message], is_read=True)
    note()
    message_actions.flag([message], is_flagged=True)
    note()
    message_actions.mark_answered(message)
    note()
    message_actions.move([message], folder(mailbox, FolderRole.ARCHIVE))
    note()
    message_actions.erase([message.pk])
    note()

    assert len(set(seen)) == len(seen)


def test_a_page_left_open_does_not_keep_the_session(
    as_bob: Client, bob: Person
) -> None:
    urls = [
        reverse("webmail:live_events"),
        reverse("webmail:live_numbers"),
        reverse("webmail:live_mailbox", args=[bob.mailbox.pk]),
        reverse("webmail:live_folder", args=[inbox(bob.mailbox).pk]),
    ]
    as_bob.get(reverse("webmail:folder"), follow=True)
    begun = as_bob.session[FACTS]["seen"]

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        for url in urls:
            assert as_bob.get(url).status_code == 200
        assert as_bob.session[FACTS]["seen"] == begun


def test_lists_of_labels_inboxes_and_search_stay_current(
    as_bob: Client, bob: Person, team: Mailbox
) -> None:
    factories.make_grant(team, bob, can_read=True)
    first = store_message(bob.mailbox, subject="First listing")
    label = Label.objects.create(mailbox=bob.mailbox, name="Urgent")
    labels.put_on(label, [first])
    store_message(team, subject="Team listing")
    pages = {
        "label": reverse("webmail:label", args=[bob.mailbox.pk, label.pk]),
        "all": reverse("webmail:all_inboxes"),
        "search": reverse("webmail:search", args=[bob.mailbox.pk]) + "?q=listing",
    }
    shown = {name: soup(as_bob, url) for name, url in pages.items()}

    second = store_message(bob.mailbox, subject="Second listing")
    labels.put_on(label, [second])
    store_message(team, subject="Third listing")
    for name, page in shown.items():
        state = state_of(page)
        joined = "&" if "?" in state["data-live-url"] else "?"
        address = f"{state['data-live-url']}{joined}since={state['data-live-since']}"
        fresh = soup(as_bob, address)
        assert not fresh.select("header, footer")
        assert "Second listing" in region(fresh, "list")
        assert "Second listing" not in region(page, "list")
        assert "New message" in fresh.select_one("[data-live-news]").get_text() or (
            name == "all" and "2 new messages" in fresh.get_text()
        )
        # Forms lead back to the page, and not to what scripts load.
        assert "/live/" not in str(fresh.select("input[name=back]"))

    also = state_of(shown["all"])["data-live-also"].split()
    assert {one.split(":")[0] for one in also} == {str(bob.mailbox.pk), str(team.pk)}
    assert "Team listing" in region(shown["all"], "list")
