"""Pages that name people, in a browser: no name hides or covers the address beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.registry.models import Mailbox, Person
from engine.storage import actions
from engine.storage.delivery import folder
from engine.storage.models import FolderRole, Message
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.status import Source
from portal.webmail.actions import contacts
from portal.webmail.cards.card import Card
from tests.peers.chromium import OpenPage
from tests.portal import screens
from tests.portal.conftest import SignIn
from tests.security.unicode_data import marks

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ADDRESS = "charlie@harbour.secure.example"
REAL = "alice@northfield.secure.example"
# Harmless, each of a kind that could spoil a page.
NAMES = {
    "namesake": "Alice Gray",
    "without spaces": "W" * 150,
    "of many words": "Bartholomew Featherstonehaugh-Cholmondeley " * 3,
    "marks": "".join(c + "".join(marks()[:60]) for c in "Alice Gray"),
    "turning": "\u202eyarG ecilA\u202d",
    "right to left": "\u05e2\u05d3\u05e0\u05d4 \u05db\u05d4\u05df",
}
# A window of 1280 by 900 at 400 % shows 320 by 225.
SIZES = {
    "wide": {"width": screens.WIDE, "height": 900},
    "zoomed": {"width": screens.NARROW, "height": 225},
}
# How often an address can be read, and what is wrong with it where it cannot.
SEEN = """address => {
  const holds = one => one.textContent.includes(address);
  const left = 'script, style, textarea, option, .govuk-visually-hidden, .w-sr-only';
  const faults = [];
  let seen = 0;
  for (const one of document.body.querySelectorAll('*')) {
    if (!holds(one) || [...one.children].some(holds)) continue;
    if (one.closest(left) || !one.checkVisibility()) continue;
    const range = document.createRange();
    const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    let start = one.textContent.indexOf(address), end = start + address.length, text;
    while ((text = walker.nextNode())) {
      if (start >= 0 && start < text.length) range.setStart(text, start);
      if (end > 0 && end <= text.length) range.setEnd(text, end);
      start -= text.length;
      end -= text.length;
    }
    // The element may be higher than the window, and in another part that scrolls.
    one.scrollIntoView({block: 'center', behavior: 'instant'});
    const place = range.getBoundingClientRect();
    scrollBy({top: (place.top + place.bottom - innerHeight) / 2, behavior: 'instant'});
    const say = what => faults.push(`${what}: ${one.outerHTML.slice(0, 120)}`);
    for (const part of range.getClientRects()) {
      if (!part.width) continue;
      if (part.left < 0 || part.right > innerWidth) say('beyond the edge');
      for (const x of [part.left + 1, part.right - 1]) {
        const top = document.elementFromPoint(x, (part.top + part.bottom) / 2);
        if (!top || !(one.contains(top) || top.contains(one))) say('covered');
      }
    }
    if (parseFloat(getComputedStyle(one).fontSize) < 12) say('too small');
    seen += 1;
  }
  return [seen, faults];
}"""
Visit = Callable[[Client], Page]


@pytest.fixture(params=SIZES)
def visit(
    request: pytest.FixtureRequest, open_page: OpenPage, live_server: LiveServer
) -> Visit:
    """Opens a page for somebody who is signed in, at each of the sizes."""

    def open_as(client: Client) -> Page:
        page = open_page(viewport=SIZES[request.param], base_url=live_server.url)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        return page

    return open_as


def faults(page: Page, door: str, least: int) -> Iterator[str]:
    """What is wrong on the page; `least` is how often it must show the address."""
    page.goto(door)
    yield from faults_here(page, door, least)


def faults_here(page: Page, name: str, least: int) -> Iterator[str]:
    width = page.viewport_size["width"]
    seen, found = page.evaluate(SEEN, ADDRESS)
    if seen < least:
        yield f"{name}: the address is seen {seen} times"
    yield from (f"{name}: {fault}" for fault in found)
    yield from (f"{name}: {fault}" for fault in screens.examine(page, width))


@pytest.fixture
def crowd(bob: Person, alice: Person, charlie: Person) -> dict[str, Message]:
    """Bob's mail from, and to, Charlie under every name: one conversation, by kind."""
    for number, name in enumerate(NAMES.values()):
        for role in (FolderRole.SENT, FolderRole.DRAFTS):
            put(bob, role, to=[person(name)], subject=f"About case {number}")
    real = put(bob, FolderRole.INBOX, sender=person("Alice Gray", REAL))
    return {
        kind: put(
            bob,
            FolderRole.INBOX,
            sender=person(name),
            to=[person(name), person("Bob", bob.address)],
            in_reply_to=real.message_id,
            references=real.message_id,
            attachments=[Attachment("Sign in.html", "text/html", b"<form>Password")],
        )
        for kind, name in NAMES.items()
    }


def person(name: str, address: str = ADDRESS) -> NamedAddress:
    return NamedAddress(name, Address.parse(address))


def put(bob: Person, role: FolderRole, **over: object) -> Message:
    fields: dict[str, object] = {
        "sender": person("Bob", bob.address),
        "to": [person("Bob", bob.address)],
        "subject": "Hearing on Monday",
        "text": "Please see the bundle.\n",
    }
    return actions.append(folder(bob.mailbox, role), compose(**(fields | over)))


def test_lists(
    visit: Visit, signed_in: SignIn, bob: Person, crowd: dict[str, Message]
) -> None:
    every = len(NAMES)
    # One line for the conversation, whose newest message is Charlie's.
    lines = {FolderRole.INBOX: 1, FolderRole.SENT: every, FolderRole.DRAFTS: every}
    page = visit(signed_in(bob))

    found = reverse("webmail:search", args=[bob.mailbox.pk])
    wrong = list(faults(page, f"{found}?q=about OR hearing", 3 * every))
    for role, least in lines.items():
        place = folder(bob.mailbox, role)
        wrong += faults(page, reverse("webmail:folder", args=[place.pk]), least)

    assert wrong == []


def test_messages(
    visit: Visit, signed_in: SignIn, bob: Person, crowd: dict[str, Message]
) -> None:
    page = visit(signed_in(bob))
    every = len(NAMES)
    ids = {kind: message.pk for kind, message in crowd.items()}
    wrong: list[str] = []
    # In From and in To; in the newest one's conversation once for each of the others.
    for name, args, least in (
        ("read", [ids["without spaces"]], 2),
        ("read", [ids["right to left"]], 2 + every - 1),
        ("print", [ids["marks"]], 2),
        ("part", [ids["turning"], "2"], 1),
        ("reply_all", [ids["of many words"]], 1),
    ):
        wrong += faults(page, reverse(f"webmail:{name}", args=args), least)

    assert wrong == []


def test_address_book(
    visit: Visit, signed_in: SignIn, bob: Person, charlie: Person
) -> None:
    for number, name in enumerate(NAMES.values()):
        address = f"{number}.{ADDRESS}"
        contacts.add(bob, Card(name[:150], address))
    page = visit(signed_in(bob))
    find = reverse("webmail:find_people", args=[bob.mailbox.pk, uuid4()])

    wrong = list(faults(page, reverse("webmail:contacts"), len(NAMES)))
    page.goto(find)
    page.locator("#book-q").fill(ADDRESS)
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text("Choose people").wait_for()
    wrong += faults_here(page, "find people", len(NAMES))

    assert wrong == []


def test_helpdesk(
    visit: Visit, signed_in: SignIn, hugh: Person, helpdesk: Mailbox
) -> None:
    asked = [
        tickets.open_ticket(
            Question(
                subject="I cannot sign in",
                text="My code is refused.",
                address=ADDRESS,
                name=name,
                is_confirmed=False,
            ),
            source=Source.FORM,
            by=None,
        )
        for name in NAMES.values()
    ]
    page = visit(signed_in(hugh, second_factor=True))

    wrong = list(faults(page, reverse("desk:index"), len(asked)))
    for ticket in asked[1:3]:
        # With the question, the reply and the requester.
        wrong += faults(page, reverse("desk:ticket", args=[ticket.pk]), 3)

    assert wrong == []
