"""A message is recalled in a real browser, and its recipient sees that it was."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Person
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from tests.peers.chromium import OpenPage
from tests.portal import screens
from tests.portal.conftest import SignIn
from tests.portal.webmail.mailbox.test_sent_messages import send

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page_as(
    open_page: OpenPage, signed_in: SignIn, client: Client, live_server: LiveServer
) -> Callable[..., Page]:
    """Opens a browser in which a person is signed in."""

    def open_as(person: Person, **options: object) -> Page:
        signed_in(person, second_factor=True)
        page = open_page(**options)
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value}
        page.context.add_cookies([{**cookie, "url": live_server.url}])
        return page

    return open_as


def send_in_thread(bob: Person, alice: Person) -> Message:
    """Sends a message, in a thread, because the browser's has a loop."""

    def run() -> Message:
        try:
            return send(bob.mailbox, bob, alice.address)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_author_recalls_it_and_the_recipient_reads_why(
    script: bool,
    page_as: Callable[..., Page],
    bob: Person,
    alice: Person,
    live_server: LiveServer,
) -> None:
    sent = send_in_thread(bob, alice)
    inbox = reverse("webmail:folder", args=[folder(alice.mailbox, FolderRole.INBOX).pk])

    author = page_as(bob, java_script_enabled=script)
    author.goto(live_server.url + reverse("webmail:read", args=[sent.pk]))
    author.get_by_role("link", name="Recall this message").click()
    found = list(screens.faults(author, author.url)) if script else []
    author.fill("[name=reason]", "Wrong bundle")
    author.get_by_role("button", name="Recall this message").click()
    author.get_by_text("Recalled by its sender").wait_for()

    reader = page_as(alice, java_script_enabled=not script)
    reader.goto(live_server.url + inbox)
    assert "recalled a message" in reader.locator(".app-withdrawn__news").inner_text()
    assert "Bundle for Monday" not in reader.locator("main").inner_text()
    reader.get_by_role("link", name="See why").click()
    assert "Reason given: Wrong bundle" in reader.locator("main").inner_text()
    if script:
        watched = page_as(alice)
        for url in (live_server.url + inbox, reader.url):
            found += screens.faults(watched, url)
    assert found == []
    assert not Message.objects.filter(mailbox=alice.mailbox).exists()
