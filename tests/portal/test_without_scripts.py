"""The main task of each area, in a browser with JavaScript disabled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from engine.registry.models import AppPassword, DistributionList, Mailbox, Person
from portal.helpdesk.models import Ticket
from portal.webmail.models import Contact, ScheduledSend
from tests.peers.chromium import OpenPage
from tests.portal.conftest import SignIn

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
OpenSite = Callable[..., Page]


@pytest.fixture
def open_site(open_page: OpenPage, live_server) -> OpenSite:
    """Opens the site as the person signed in with a client, or not signed in."""

    def open_as(client: Client | None = None) -> Page:
        page = open_page(java_script_enabled=False, base_url=live_server.url)
        if client is not None:
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            page.context.add_cookies(
                [{"name": "sessionid", "value": session, "url": live_server.url}]
            )
        return page

    return open_as


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def test_a_member_does_their_work(
    open_site: OpenSite,
    signed_in: SignIn,
    helpdesk: Mailbox,
    bob: Person,
    charlie: Person,
    tmp_path: Path,
) -> None:
    page = open_site(signed_in(bob))
    write_with_a_file(page, charlie, tmp_path)
    add_a_contact(page, charlie)
    find(page, charlie)
    ask_the_helpdesk(page)
    make_an_app_password(page)

    assert ScheduledSend.objects.filter(person=bob).count() == 1
    assert Contact.objects.get(person=bob).address == charlie.address
    assert Ticket.objects.get().requester == bob
    assert AppPassword.objects.get(person=bob).name == "Outlook at work"


def write_with_a_file(page: Page, charlie: Person, folder: Path) -> None:
    (folder / "order.txt").write_text("The order.")
    page.goto("/mail/write/")
    page.get_by_label("To", exact=True).fill(charlie.address)
    page.get_by_label("Subject").fill("The order")
    page.get_by_label("Message", exact=True).fill("It is in the file.")
    page.get_by_label("Add files").set_input_files(folder / "order.txt")
    press(page, "Attach and continue writing")
    expect(page.locator("#file-list")).to_contain_text("order.txt")
    press(page, "Send")
    expect(page.get_by_role("heading", name="Check before you send")).to_be_visible()
    press(page, "Send anyway")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def add_a_contact(page: Page, charlie: Person) -> None:
    page.goto("/mail/contacts/add/")
    page.get_by_label("Name", exact=True).fill("Charlie Court")
    page.get_by_label("Address").fill(charlie.address)
    press(page, "Save contact")
    expect(page.get_by_role("link", name="Charlie Court", exact=True)).to_be_visible()


def find(page: Page, charlie: Person) -> None:
    page.goto("/directory/")
    page.get_by_role("searchbox").fill("charl")
    press(page, "Search")
    page.get_by_role("link", name="Charlie", exact=True).click()
    expect(page.get_by_role("heading", name="Charlie")).to_be_visible()


def ask_the_helpdesk(page: Page) -> None:
    page.goto("/help/tickets/new/")
    page.get_by_label("Using a mailbox").check()
    page.get_by_label("Your question in one line").fill("How do I file?")
    page.get_by_label("Tell us more").fill("I want a folder.")
    press(page, "Send your question")
    expect(page.get_by_role("heading", name="How do I file?")).to_be_visible()


def make_an_app_password(page: Page) -> None:
    page.goto("/account/app-passwords/")
    page.get_by_label("Name of the device or program").fill("Outlook at work")
    press(page, "Make the app password")
    expect(page.get_by_text("It is not shown again")).to_be_visible()


def test_an_administrator_adds_a_list_and_a_group_mailbox(
    open_site: OpenSite, signed_in: SignIn, alice: Person
) -> None:
    page = open_site(signed_in(alice, second_factor=True))

    for section, kind in (
        ("lists", "distribution list"),
        ("mailboxes", "group mailbox"),
    ):
        page.goto(f"/organisation/{alice.organisation_id}/{section}/")
        page.get_by_role("button", name=f"Add a {kind}").click()
        page.get_by_label("Name", exact=True).fill(f"Our {kind}")
        page.get_by_label("Secure address").fill(section)
        press(page, "Add")
        expect(page.get_by_role("heading", name=f"Our {kind}")).to_be_visible()

    assert DistributionList.objects.get().name == "Our distribution list"
    assert Mailbox.objects.get(owner=None).name == "Our group mailbox"


def test_a_stranger_begins_to_apply(open_site: OpenSite, db: None) -> None:
    page = open_site()
    page.goto("/apply/")
    press(page, "Start now")
    page.get_by_label("A law firm, barrister or chambers").check()
    press(page, "Continue")
    page.get_by_label("What is your work email address?").fill("jane@firm.example")
    press(page, "Send me a link")

    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
