"""A day at the keyboard, and one on a phone, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Person
from engine.storage.models import Message
from portal.webmail.models import ReadingPreferences
from tests.peers.chromium import OpenPage
from tests.portal.webmail.conftest import compose_html, store_message

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
Browse = Callable[[int, int], Page]

CHOSEN = "[...document.querySelectorAll('input[name=message]:checked')].length"


@pytest.fixture
def browse(open_page: OpenPage, as_bob: Client, live_server: LiveServer) -> Browse:
    """Opens Bob's browser with a screen of this size."""

    def opened(width: int, height: int) -> Page:
        page = open_page(
            viewport={"width": width, "height": height}, base_url=live_server.url
        )
        session = as_bob.cookies["sessionid"].value
        page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        return page

    return opened


@pytest.fixture
def inbox(bob: Person) -> str:
    for number in range(5):
        store_message(bob.mailbox, subject=f"Number {number}")
    message = store_message(
        bob.mailbox, compose_html("<p>Long</p>" * 90, subject="Number 5")
    )
    return reverse("webmail:folder", args=[message.folder_id])


def test_keys_read_choose_search_and_file(
    browse: Browse, bob: Person, alice: Person, inbox: str
) -> None:
    page = browse(1280, 900)
    keys = page.keyboard
    page.goto(inbox)
    keys.press("j")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    ReadingPreferences.objects.create(person=bob, uses_shortcuts=True)
    page.reload()

    for key in ("j", "j", "x", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowUp"):
        keys.press(key)
    assert page.evaluate(CHOSEN) == 2
    page.get_by_label("Choose the message Number 5").click()
    page.get_by_label("Choose the message Number 0").click(modifiers=["Shift"])
    assert page.evaluate(CHOSEN) == 6
    keys.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    keys.press("/")
    keys.type("number")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    keys.press("j")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Number 5")).to_be_visible()
    # The frame has grown with its text, and so has no scroll bar of its own.
    frame = page.locator("iframe.app-message__frame")
    expect(frame).to_have_css("height", re.compile(r"^\d{4}"))
    keys.press("j")
    expect(page.get_by_role("heading", name="Number 4")).to_be_visible()
    keys.press("m")
    keys.type("junk")
    keys.press("Enter")
    expect(page.get_by_text("1 message moved to Junk")).to_be_visible()
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    assert Message.objects.get(subject="Number 4").folder.name == "Junk"

    keys.press("c")
    page.get_by_label("To", exact=True).fill(alice.address)
    page.get_by_label("Subject").fill("Sent by keys")
    page.get_by_label("Message", exact=True).fill("Good morning.")
    keys.press("Control+Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert Message.objects.filter(subject="Sent by keys", is_draft=False).exists()


def test_a_phone_shows_mail_first_and_says_when_it_is_offline(
    browse: Browse, inbox: str
) -> None:
    page = browse(320, 568)
    page.goto(inbox)
    first = page.locator(".app-mail-row").first.bounding_box()
    assert first is not None and first["y"] + 100 < 568

    drawer = page.get_by_text("Folders", exact=True)
    drawer.click()
    archive = page.get_by_role("link", name="Archive")
    expect(archive).to_be_visible()
    box = archive.bounding_box()
    assert box is not None and box["height"] >= 44
    page.keyboard.press("Escape")
    expect(archive).to_be_hidden()
    expect(page.get_by_role("button", name="Delete")).to_be_hidden()
    page.get_by_label("Choose the message Number 5").check()
    expect(page.get_by_role("button", name="Delete")).to_be_in_viewport()

    page.evaluate("navigator.serviceWorker.ready")
    kept = page.evaluate("""async () => {
      const shells = await Promise.all((await caches.keys()).map(name => caches.open(name)));
      const requests = await Promise.all(shells.map(shell => shell.keys()));
      return requests.flat().map(request => new URL(request.url).pathname).sort();
    }""")
    assert kept == ["/mail/offline/", "/static/webmail/offline.css"]
    page.context.set_offline(True)
    page.goto(inbox)
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
