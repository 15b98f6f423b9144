"""Pages that name people: no name hides or covers the address beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from engine.antivirus.models import QuarantinedMessage
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from engine.trace.models import Event, EventKind
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.status import Source
from portal.webmail.contacts import actions as contacts
from portal.webmail.contacts.contact_card import Card
from tests.peers.chromium import OpenPage
from tests.portal import screens
from tests.portal.conftest import SignIn
from tests.security.unicode_data import marks

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Harmless names of each kind that could spoil a page.
NAMES = {
    "namesake": "Alice Gray",
    "without spaces": "W" * 150,
    "of many words": "Bartholomew Featherstonehaugh-Cholmondeley " * 3,
    "marks": "".join(c + "".join(marks()[:60]) for c in "Alice Gray"),
    "turning": "\u202eyarG ecilA\u202d",
    "right to left": "\u05e2\u05d3\u05e0\u05d4 \u05db\u05d4\u05df",
}


@dataclass(frozen=True)
class Size:
    """A window in CSS pixels, and the address of Harbour that must be legible in it."""

    width: int
    height: int
    address: str


# A window of 1280 by 900 at 400 % shows 320 by 225 CSS pixels, too narrow for every
# word of the address.
SIZES = {
    "wide": Size(screens.WIDE, 900, "charlie@harbour.secure.example"),
    "zoomed": Size(screens.NARROW, 225, f"charlie{'x' * 54}@harbour.secure.example"),
}
# Counts where the address is legible, and says what is wrong where it is not.
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
      if (part.width < 8) continue;
      if (part.left < 0 || part.right > innerWidth) say('beyond the edge');
      // Neighbours on a line may share a pixel.
      for (const x of [part.left + 3, part.right - 3]) {
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
Look = Callable[..., list[str]]


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> Size:
    return SIZES[request.param]


@pytest.fixture
def visit(size: Size, open_page: OpenPage, live_server: LiveServer) -> Visit:
    """Opens a page as the person who is signed in with a client."""

    def open_as(client: Client) -> Page:
        view = {"width": size.width, "height": size.height}
        page = open_page(viewport=view, base_url=live_server.url)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        return page

    return open_as


@pytest.fixture
def look(size: Size) -> Look:
    """Returns what is wrong with a page, which must show the address so often."""

    def examined(page: Page, least: int, url: str = "") -> list[str]:
        if url:
            page.goto(url)
        seen, found = page.evaluate(SEEN, size.address)
        if seen < least:
            found.append(f"the address is seen {seen} times")
        found += screens.faults_at_width(page, size.width)
        return [f"{page.url}: {one}" for one in found]

    return examined


@pytest.fixture
def crowd(
    size: Size, bob: Person, alice: Person, harbour: Organisation
) -> dict[str, Message]:
    """Messages between Bob and Harbour under every name, by kind."""
    for number, name in enumerate(NAMES.values()):
        for role in (FolderRole.SENT, FolderRole.DRAFTS):
            to = [person(name, size.address)]
            store_message(bob, role, to=to, subject=f"About case {number}")
    real = store_message(
        bob, FolderRole.INBOX, sender=person("Alice Gray", alice.address)
    )
    return {
        kind: store_message(
            bob,
            FolderRole.INBOX,
            sender=person(name, size.address),
            to=[person(name, size.address), person("Bob", bob.address)],
            in_reply_to=real.message_id,
            references=real.message_id,
            attachments=[Attachment("Sign in.html", "text/html", b"<form>Password")],
        )
        for kind, name in NAMES.items()
    }


def person(name: str, address: str) -> NamedAddress:
    return NamedAddress(name, Address.parse(address))


def store_message(bob: Person, role: FolderRole, **over: object) -> Message:
    fields: dict[str, object] = {
        "sender": person("Bob", bob.address),
        "to": [person("Bob", bob.address)],
        "subject": "Hearing on Monday",
        "text": "Please see the bundle.\n",
    }
    return message_actions.append(folder(bob.mailbox, role), compose(**(fields | over)))


def test_lists(
    visit: Visit,
    look: Look,
    signed_in: SignIn,
    bob: Person,
    crowd: dict[str, Message],
) -> None:
    every = len(NAMES)
    # One row for the conversation, whose newest message is from Harbour.
    lines = {FolderRole.INBOX: 1, FolderRole.SENT: every, FolderRole.DRAFTS: every}
    page = visit(signed_in(bob))

    found = reverse("webmail:search", args=[bob.mailbox.pk])
    wrong = look(page, 3 * every, f"{found}?q=about OR hearing")
    for role, least in lines.items():
        place = folder(bob.mailbox, role)
        wrong += look(page, least, reverse("webmail:folder", args=[place.pk]))

    assert wrong == []


def test_messages(
    visit: Visit,
    look: Look,
    signed_in: SignIn,
    bob: Person,
    crowd: dict[str, Message],
) -> None:
    page = visit(signed_in(bob))
    every = len(NAMES)
    ids = {kind: message.pk for kind, message in crowd.items()}
    wrong: list[str] = []
    # In From and in To; in the newest conversation once more for each other message.
    for name, args, least in (
        ("read", [ids["without spaces"]], 2),
        ("read", [ids["right to left"]], 2 + every - 1),
        ("print", [ids["marks"]], 2),
        ("part", [ids["turning"], "2"], 1),
        ("reply_all", [ids["of many words"]], 1),
    ):
        wrong += look(page, least, reverse(f"webmail:{name}", args=args))

    assert wrong == []


def test_address_book(
    visit: Visit, look: Look, size: Size, signed_in: SignIn, bob: Person
) -> None:
    for name, first in zip(NAMES.values(), "abcdef", strict=True):
        contacts.add(bob, Card(name[:150], f"{first}{size.address}"))
    page = visit(signed_in(bob))
    find = reverse("webmail:find_people", args=[bob.mailbox.pk, uuid4()])

    wrong = look(page, len(NAMES), reverse("webmail:contacts"))
    page.goto(find)
    page.locator("#book-q").fill(size.address.partition("@")[2])
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text("Choose people").wait_for()
    wrong += look(page, len(NAMES))

    assert wrong == []


def test_helpdesk(
    visit: Visit,
    look: Look,
    size: Size,
    signed_in: SignIn,
    hugh: Person,
    helpdesk: Mailbox,
) -> None:
    asked = [
        tickets.open_ticket(
            Question(
                subject="I cannot sign in",
                text="My code is refused.",
                address=size.address,
                name=name,
                is_confirmed=False,
            ),
            source=Source.FORM,
            by=None,
        )
        for name in NAMES.values()
    ]
    page = visit(signed_in(hugh, second_factor=True))

    wrong = look(page, len(asked), reverse("desk:index"))
    for ticket in asked[1:3]:
        # Beside the question, the reply and the requester.
        wrong += look(page, 3, reverse("desk:ticket", args=[ticket.pk]))

    assert wrong == []


def test_console(
    visit: Visit,
    look: Look,
    size: Size,
    signed_in: SignIn,
    olive: Person,
    harbour: Organisation,
) -> None:
    detail = {"sender": size.address, "organisation_id": harbour.pk}
    Event.objects.create(
        reference="R1",
        recipient=size.address,
        kind=EventKind.RECEIVED,
        at=timezone.now(),
        detail=detail,
    )
    kept = QuarantinedMessage.objects.create(
        reference="R1",
        signature="Win.Test.EICAR_HDB-1",
        scanner="clamd",
        size=68,
        digest="0" * 64,
        path="x",
        sender=size.address,
        organisation_id=harbour.pk,
        recipients=[size.address],
    )
    page = visit(signed_in(olive, second_factor=True))

    wrong = [
        *look(page, 1, reverse("console:trace")),
        *look(page, 2, reverse("console:story", args=["R1"])),
        *look(page, 1, reverse("console:quarantine")),
        *look(page, 2, reverse("console:quarantined", args=[kept.pk])),
    ]

    assert wrong == []
