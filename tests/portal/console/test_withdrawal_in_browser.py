"""An operator's withdrawal in a real browser, from the search to the empty inbox."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Page, expect

from engine.incidents import key_index
from engine.registry.models import Person, RoleName
from tests import factories
from tests.jobs import run_queued
from tests.portal.conftest import sign_in
from tests.portal.organisation.mail.test_trace import send

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def beside(work: Callable[[], object]) -> None:
    """Runs what has an event loop of its own: the browser's runs in this thread."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_three_operators_withdraw_a_message(
    script: bool,
    open_page: Callable[..., Page],
    live_server: object,
    alice: Person,
    bob: Person,
    olive: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_index, "LAG", timedelta(0))
    site = str(live_server.url)  # type: ignore[attr-defined]
    beside(lambda: send(alice, bob))
    key_index.index_new()

    def page_of(person: Person) -> Page:
        client = sign_in(Client(), person, second_factor=True)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        page = open_page(java_script_enabled=script)
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
        return page

    others = [factories.make_person(f"{n}@secure.example") for n in ("oscar", "otto")]
    for person in others:
        factories.make_staff(person, RoleName.OPERATOR)
    asking = page_of(olive)
    asking.goto(f"{site}/admin/delivered/")
    asking.get_by_label("Sender’s whole address").fill(alice.address)
    asking.get_by_role("button", name="Search", exact=True).click()
    expect(asking.get_by_text("1 unopened in mailboxes")).to_be_visible()
    asking.get_by_role("link", name="Withdraw what was found").click()
    asking.get_by_label("Reason").fill("A forged invoice")
    asking.get_by_role("button", name="Ask two operators to approve").click()
    expect(asking.get_by_role("heading", name="Approvals: 0 of 2")).to_be_visible()
    expect(asking.get_by_role("link", name="Approve", exact=True)).to_have_count(0)

    for person in others:
        page = page_of(person)
        page.goto(asking.url)
        page.get_by_role("link", name="Approve", exact=True).click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("You have approved it")).to_be_visible()
    beside(run_queued)

    asking.reload()
    expect(asking.get_by_text("Copies withdrawn")).to_be_visible()
    expect(asking.get_by_role("link", name="Ask to put it back")).to_be_visible()
    reading = page_of(bob)
    reading.goto(f"{site}/mail/")
    expect(
        reading.get_by_text("was withdrawn by the operator of the service")
    ).to_be_visible()
    reading.get_by_role("link", name="See why").click()
    expect(reading.get_by_text("A forged invoice")).to_be_visible()
    assert bob.mailbox.messages.count() == 0
