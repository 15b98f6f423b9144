"""The message list in a browser: each row shows the sender's address."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import message_actions
from engine.storage.models import FolderRole
from engine.storage.standard_folders import folder
from tests.peers.chromium import OpenPage
from tests.portal import screens
from tests.portal.conftest import SignIn
from tests.security.names import Named, generated

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

COUNT = 300
SENDER = "charlie@harbour.secure.example"
# Faults of a row: its address must be complete, inside the row and uncovered, and its
# name must not leave its line.
FAULTS = """([address, organisation]) => [...document.querySelectorAll('.app-mail-row')]
  .flatMap((row, number) => {
    row.scrollIntoView({block: 'center'});
    const found = row.querySelector('.app-mail-row__address');
    const facts = row.querySelector('.app-mail-row__from');
    const name = row.querySelector('.app-mail-row__who');
    const say = what => [`line ${number}: ${what}: ${name.textContent.slice(0, 60)}`];
    if (!found || found.textContent !== address) return say('no address');
    if (!facts.textContent.includes(organisation)) return say('no organisation');
    const outer = row.getBoundingClientRect();
    const within = one => one.left >= Math.max(0, outer.left) && one.top >= outer.top
      && one.right <= Math.min(innerWidth, outer.right) && one.bottom <= outer.bottom;
    // A place where the address may be broken has a rectangle of its own, without width.
    const parts = one => [...one.getClientRects()].filter(part => part.width);
    if (!parts(found).length) return say('not drawn');
    for (const part of [...parts(found), ...parts(facts)]) {
      if (!part.height || !within(part)) return say('outside the line');
      for (const x of [part.left + 1, (part.left + part.right) / 2, part.right - 1]) {
        const top = document.elementFromPoint(x, (part.top + part.bottom) / 2);
        if (!facts.contains(top)) return say('covered');
      }
    }
    const style = getComputedStyle(found);
    if (style.visibility !== 'visible' || parseFloat(style.fontSize) < 12)
      return say('too small to see');
    const who = getComputedStyle(name), box = name.getBoundingClientRect();
    if (who.overflowX !== 'hidden' || !within(box)) return say('the name spreads');
    if (box.bottom > found.getBoundingClientRect().top + 1
        && box.right > found.getBoundingClientRect().left) return say('the name covers');
    return [];
  })"""


@pytest.fixture
def crowded(bob: Person, charlie: Person) -> Mailbox:
    """Bob's mailbox with every name, as if none had been refused."""
    inbox = folder(bob.mailbox, FolderRole.INBOX)
    for number, named in enumerate(generated(COUNT)):
        message_actions.append(inbox, letter(named, number))
    return bob.mailbox


def letter(named: Named, number: int) -> bytes:
    return (
        f"From: {named.written} <{SENDER}>\r\nTo: bob@northfield.secure.example\r\n"
        f"Subject: About case {number}\r\nMessage-ID: <{number}@harbour.example>\r\n"
        "\r\nGood morning\r\n"
    ).encode()


@pytest.mark.parametrize("width", [screens.WIDE, screens.NARROW])
def test_every_line_shows_whose_it_is(
    crowded: Mailbox,
    harbour: Organisation,
    signed_in: SignIn,
    bob: Person,
    open_page: OpenPage,
    live_server: LiveServer,
    width: int,
) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    session = signed_in(bob).cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    inbox = folder(crowded, FolderRole.INBOX)

    wrong, lines = [], 0
    page.goto(live_server.url + reverse("webmail:folder", args=[inbox.pk]))
    while True:
        lines += page.locator(".app-mail-row").count()
        wrong += page.evaluate(FAULTS, [SENDER, harbour.name])
        wrong += list(screens.faults_at_width(page, width))
        _save_screenshot(page, lines, width)
        older = page.locator("a.govuk-pagination__link[rel=next]")
        if not older.count():
            break
        page.goto(live_server.url + str(older.get_attribute("href")))

    assert lines == COUNT
    assert not wrong


def _save_screenshot(page: Page, lines: int, width: int) -> None:
    if kept := os.environ.get("POSTERN_PICTURES"):
        page.screenshot(path=Path(kept) / f"names-{lines}-{width}.png", full_page=True)
