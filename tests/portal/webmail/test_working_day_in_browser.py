"""A working day in webmail, by mouse and by keyboard alone, with and without scripts.

Each pair of screen, hand and scripts occurs in one of the four days.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Mailbox, Person
from engine.storage.models import FolderRole, Label, Message
from engine.storage.standard_folders import folder
from tests import factories
from tests.peers.chromium import OpenPage
from tests.portal.webmail.conftest import named_address, store_message

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("charlie"),
]

TABS = 150  # at most, to what a page has last
# Empty where it has the focus. A list is one stop of Tab; arrows lead to its rows.
WAY_TO = """(element) => {
    const here = document.activeElement;
    if (here === element) return "";
    const inList = here.closest("#messages > .app-mail-row");
    return inList && element.tabIndex < 0 ? "ArrowDown" : "Tab";
}"""
JANE = "jane@firm.example.secure.example"


class Hand:
    """Uses a page by mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, what: Locator) -> None:
        what.click()

    def choose(self, box: Locator) -> None:
        box.click()

    def enter(self, field: Locator, text: str) -> None:
        field.click()
        self.page.keyboard.type(text)

    def pick(self, select: Locator, option: str) -> None:
        """Chooses in a list; browsers draw it outside the page, where no mouse gets to."""
        select.select_option(option)


class Keys(Hand):
    """Uses a page by keyboard alone: whatever it needs, Tab must come to it."""

    def press(self, what: Locator) -> None:
        self._reach(what)
        self.page.keyboard.press("Enter")

    def choose(self, box: Locator) -> None:
        self._reach(box)
        self.page.keyboard.press("Space")

    def enter(self, field: Locator, text: str) -> None:
        self._reach(field)
        self.page.keyboard.type(text)

    def pick(self, select: Locator, option: str) -> None:
        self._reach(select)
        self.page.keyboard.type(option)

    def _reach(self, what: Locator) -> None:
        expect(what).to_be_visible()
        for _ in range(TABS):
            key = what.evaluate(WAY_TO)
            if not key:
                return
            self.page.keyboard.press(key)
        pytest.fail(f"Tab does not come to {what}")


Begin = Callable[..., tuple[Page, Hand]]


@pytest.fixture
def begin(open_page: OpenPage, as_bob: Client, live_server: LiveServer) -> Begin:
    """Opens Bob's browser."""

    def begun(width: int, hand: type[Hand], *, scripts: bool) -> tuple[Page, Hand]:
        page = open_page(
            viewport={"width": width, "height": 800},
            base_url=live_server.url,
            java_script_enabled=scripts,
        )
        session = as_bob.cookies["sessionid"].value
        page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        return page, hand(page)

    return begun


@pytest.fixture
def office(team: Mailbox, bob: Person, alice: Person) -> Mailbox:
    for person in (bob, alice):
        factories.make_grant(team, person, can_read=True, can_write=True)
    return team


@pytest.mark.parametrize(
    ("width", "hand", "scripts"),
    [
        pytest.param(1280, Hand, True, id="mouse on a desk"),
        pytest.param(320, Keys, True, id="keyboard on a phone"),
        pytest.param(1280, Keys, False, id="keyboard on a desk, without scripts"),
        pytest.param(320, Hand, False, id="finger on a phone, without scripts"),
    ],
)
def test_a_working_day(
    begin: Begin,
    bob: Person,
    alice: Person,
    office: Mailbox,
    width: int,
    hand: type[Hand],
    *,
    scripts: bool,
) -> None:
    Label.objects.create(mailbox=bob.mailbox, name="Urgent", colour="red")
    store_message(bob.mailbox, subject="Listing of Friday")
    first = store_message(bob.mailbox, subject="Exhibits")
    page, does = begin(width, hand, scripts=scripts)
    page.goto(reverse("webmail:folder", args=[first.folder_id]))

    _hears_of_new_mail(page, bob, scripts=scripts)
    _labels_and_snoozes(page, does, first)
    _reads_one_after_another(page, does)
    _forwards_to_somebody_new(page, does, bob)
    _searches_and_comes_back(page, does)
    _works_in_the_group_mailbox(page, does, office, bob, is_phone=width == 320)


def _row(page: Page, subject: str) -> Locator:
    return page.locator(".app-mail-row", has_text=subject)


def _hears_of_new_mail(page: Page, bob: Person, *, scripts: bool) -> None:
    store_message(bob.mailbox, subject="Order of Monday")
    if not scripts:
        page.reload()
    expect(_row(page, "Order of Monday")).to_be_visible()
    expect(page).to_have_title(re.compile(r"^Inbox \(3 unread\), page 1, Bob"))


def _labels_and_snoozes(page: Page, does: Hand, first: Message) -> None:
    does.press(_row(page, "Exhibits").get_by_role("link"))
    does.press(page.locator("#organise > summary"))
    does.choose(page.get_by_label("Urgent"))
    does.press(page.get_by_role("button", name="Save labels"))
    expect(page.locator(".app-message .app-label")).to_contain_text("Urgent")
    does.press(page.get_by_role("link", name="Back to Inbox"))
    expect(_row(page, "Exhibits").locator(".app-label")).to_contain_text("Urgent")

    does.choose(page.get_by_label("Choose the message Exhibits"))
    does.press(page.locator(".app-mail__more-summary"))
    does.press(page.get_by_role("button", name="Snooze"))
    expect(_row(page, "Exhibits")).to_have_count(0)
    first.refresh_from_db()
    assert first.folder.role != FolderRole.INBOX


def _reads_one_after_another(page: Page, does: Hand) -> None:
    does.press(_row(page, "Order of Monday").get_by_role("link"))
    expect(page.get_by_role("heading", name="Order of Monday")).to_be_visible()
    does.press(page.get_by_role("link", name="Next message"))
    expect(page.get_by_role("heading", name="Listing of Friday")).to_be_visible()
    does.press(page.locator(".app-message .app-mail__more-summary"))
    does.press(page.get_by_role("button", name="Mark as unread"))
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(_row(page, "Listing of Friday")).to_contain_text("Unread")


def _forwards_to_somebody_new(page: Page, does: Hand, bob: Person) -> None:
    does.press(_row(page, "Order of Monday").get_by_role("link"))
    does.press(page.get_by_role("button", name="Forward", exact=True))
    does.enter(page.locator("#id_to"), "charlie@harbour.secure.example")
    does.enter(page.locator("#id_text"), "For you to see. ")
    does.press(page.get_by_role("button", name="Send", exact=True))
    expect(page.get_by_role("heading", name="Check before you send")).to_be_visible()
    does.press(page.get_by_role("button", name="Send anyway"))
    expect(page.get_by_text("Message sent").first).to_be_visible()
    sent = Message.objects.get(folder=folder(bob.mailbox, FolderRole.SENT))
    assert sent.subject == "Fwd: Order of Monday"


def _searches_and_comes_back(page: Page, does: Hand) -> None:
    page.goto("/mail/")
    does.enter(page.locator("#search"), "friday")
    does.press(page.locator(".app-mail__search-button"))
    does.press(_row(page, "Listing of Friday").get_by_role("link"))
    does.press(page.get_by_role("link", name="Back to results"))
    expect(page.get_by_role("heading", name="Results")).to_be_visible()


def _works_in_the_group_mailbox(
    page: Page, does: Hand, office: Mailbox, bob: Person, *, is_phone: bool
) -> None:
    asked = store_message(
        office,
        subject="Which court?",
        sender=named_address("Jane Jones", JANE),
    )
    page.goto("/mail/")
    if is_phone:
        does.press(page.get_by_text("Folders", exact=True))
    does.press(page.get_by_role("link", name="Listing office").first)
    does.press(_row(page, "Which court?").get_by_role("link"))
    does.press(page.locator("#group-work").get_by_role("button", name="Assign"))
    expect(page.locator("#group-work")).to_contain_text("Bob")
    does.enter(page.locator("#group-work textarea"), "Court 2, I think.")
    does.press(page.locator("#group-work").get_by_role("button", name="Add the note"))
    expect(page.locator(".app-group-work__text")).to_have_text("Court 2, I think.")
    asked.refresh_from_db()
    assert asked.assigned_to == bob.pk
