"""A sent message is followed in a real browser, while its server is down and comes back."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Connection, Person
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail.models import UndoTime, WritingPreferences
from tests.engine.queue.conftest import (
    JANE,
    Queue,
    authority,
    make_hop,
    trust_authority,
)
from tests.next_hop import NextHop
from tests.peers.chromium import OpenPage
from tests.portal import screens

__all__ = ["authority", "make_hop", "trust_authority"]

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Milliseconds; the script looks again after four seconds.
PATIENCE = 15_000
# Not the "if it cannot be delivered" of what waits.
DELIVERED = re.compile("^Delivered")


@pytest.fixture
def janes_server(
    firm_connection: Connection, make_hop: Callable[..., NextHop]
) -> NextHop:
    """The mail server of Firm, which is down."""
    hop = make_hop("mail.firm.example")
    hop.stop()
    firm_connection.next_hop_host = "127.0.0.1"
    firm_connection.next_hop_port = hop.port
    firm_connection.next_hop_tls_name = "mail.firm.example"
    firm_connection.save()
    return hop


def run_queue() -> None:
    """Tries every waiting message, in a thread, because the browser's has a loop."""

    def run() -> None:
        try:
            queue = Queue()
            queue.make_all_due()
            queue.run()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()


def as_ben(open_page: OpenPage, client: Client, server: str, **options: object) -> Page:
    page = open_page(**options)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": server}])
    return page


def write_to_jane(page: Page, server: str) -> None:
    page.goto(server + reverse("webmail:compose"))
    page.fill("[name=to]", JANE)
    page.fill("[name=subject]", "Bundle for Monday")
    page.fill("[name=text]", "Attached.")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send anyway", exact=True).click()
    page.get_by_text("Message sent").first.wait_for()


def test_the_page_says_delivered_when_the_server_is_back(
    open_page: OpenPage,
    as_bob: Client,
    bob: Person,
    live_server: LiveServer,
    janes_server: NextHop,
) -> None:
    WritingPreferences.objects.create(person=bob, undo_seconds=UndoTime.NONE)
    page = as_ben(open_page, as_bob, live_server.url)
    write_to_jane(page, live_server.url)
    run_queue()

    sent = folder(bob.mailbox, FolderRole.SENT)
    message = Message.objects.get(folder=sent)
    read = reverse("webmail:read", args=[message.pk])
    listed = reverse("webmail:folder", args=[sent.pk])
    story = reverse("webmail:delivery", args=[message.pk])
    faults = [
        fault
        for url in (listed, read, story)
        for fault in screens.faults(page, live_server.url + url)
    ]
    assert faults == []
    page.goto(live_server.url + listed)
    row = page.locator(".app-mail-row__delivery")
    assert "Waiting Since" in row.inner_text()
    other = page.context.new_page()
    other.goto(live_server.url + read)
    shown = other.locator("section.app-delivery")
    assert "The recipient's server could not be reached" in shown.inner_text()
    plain = as_ben(open_page, as_bob, live_server.url, java_script_enabled=False)
    plain.goto(live_server.url + read)

    janes_server.start()
    run_queue()

    assert [one.recipients for one in janes_server.received] == [["jane@firm.example"]]
    for watched in (row, shown):
        watched.get_by_text(DELIVERED).wait_for(timeout=PATIENCE)
    assert (
        "Bundle for Monday: Delivered"
        in page.locator("p[data-live-news]").text_content()
    )
    assert "Waiting" in plain.locator("section.app-delivery").inner_text()
    plain.reload()
    assert "which took it" in plain.locator("section.app-delivery").inner_text()
