"""Accessibility of the helpdesk's screens, for requesters and agents."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from engine.mail.composer import Attachment
from engine.mail.message import with_line_ends
from engine.registry.models import Mailbox, Person
from portal.helpdesk import ticket_links
from portal.helpdesk.actions import canned_replies, tickets
from portal.helpdesk.intake import collect
from portal.helpdesk.models import CannedReply, Ticket
from portal.helpdesk.status import Category, Status
from tests.portal import screens, walks
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import OpenTicket, deliver_mail

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def use_session(page: Page, client: Client, url: str) -> None:
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])


def check_screens(page: Page, url: str, *paths: str) -> None:
    found = [fault for path in paths for fault in screens.faults(page, url + path)]
    assert found == []


def test_screens(
    page: Page,
    live_server,
    signed_in: SignIn,
    open_ticket: OpenTicket,
    bob: Person,
    hugh: Person,
) -> None:
    site = live_server.url
    canned_replies.save(
        CannedReply(), title="Code", category=Category.SIGN_IN, text="Hi", by=hugh
    )
    ticket, solved, closed = open_ticket(bob), open_ticket(bob), open_ticket(bob)
    tickets.note(ticket, "Ask the network team.", by=hugh)
    tickets.move(solved, Status.SOLVED, by=hugh)
    tickets.move(closed, Status.CLOSED, by=hugh)
    followed = ticket_links.follow_url(ticket).removeprefix(settings.POSTERN.site_url)

    check_screens(page, site, *walks.STRANGER_IN_NEED, followed)
    page.goto(site + followed)
    page.get_by_label("Add to your question").fill("It happens at home too.")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Your message was added.")).to_be_visible()

    use_session(page, signed_in(bob), site)
    own = [reverse("helpdesk:ticket", args=[t.pk]) for t in (ticket, solved, closed)]
    check_screens(page, site, *walks.REQUESTER, *own)
    page.goto(site + reverse("helpdesk:new"))
    page.get_by_role("button", name="Send your question").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    assert list(screens.faults_at_width(page, screens.NARROW)) == []

    use_session(page, signed_in(hugh, second_factor=True), site)
    check_screens(page, site, *walks.AGENT, reverse("desk:ticket", args=[ticket.pk]))
    page.get_by_role("textbox", name="Reply").fill("Try again.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Your reply is on its way.")).to_be_visible()


def test_a_ticket_with_a_forward(
    page: Page,
    live_server,
    signed_in: SignIn,
    helpdesk: Mailbox,
    alice: Person,
    bob: Person,
    hugh: Person,
) -> None:
    """A forward is shown whole, and what was quoted or attached opens with a click."""
    site = live_server.url
    sent = Path("tests/messages/helpdesk-forwarded-bounce.eml").read_bytes()
    forward = sent.replace(b"jane@marlowfinch.example", bob.address.encode())
    deliver_mail(helpdesk, bob.address, raw=with_line_ends(forward))
    collect.collect()
    ticket = Ticket.objects.get()
    asked = "<bde9138f-9b79-4ae0-ab7e-1bd3c95b43b7@marlowfinch.example>"
    deliver_mail(helpdesk, alice.address, in_reply_to=asked, text="Mine came back too.")
    collect.collect()
    tickets.answer(
        ticket,
        "Their server asks for TLS.\n\nPlease send us the message that came back.",
        status=Status.WAITING_FOR_REQUESTER,
        seen=ticket.entries.latest("pk").pk,
        by=hugh,
    )
    bounce = Path("tests/messages/attached-message.eml").read_bytes()
    deliver_mail(
        helpdesk,
        bob.address,
        to=ticket_links.reply_address(ticket),
        text="Here it is.\n\nOn Monday, Hugh wrote:\n> Their server asks for TLS.",
        attachments=[Attachment("Undeliverable.eml", "message/rfc822", bounce)],
    )
    collect.collect()
    followed = ticket_links.follow_url(ticket).removeprefix(settings.POSTERN.site_url)
    own = reverse("helpdesk:ticket", args=[ticket.pk])
    desk = reverse("desk:ticket", args=[ticket.pk])

    check_screens(page, site, followed)
    use_session(page, signed_in(bob), site)
    check_screens(page, site, own)
    expect(page.get_by_text("DIAGNOSTIC-NDR 550 5.7.1 TLS required")).to_be_visible()
    check_folded(page)
    assert list(screens.faults_at_width(page, screens.NARROW)) == []
    use_session(page, signed_in(hugh, second_factor=True), site)
    check_screens(page, site, desk)
    expect(page.get_by_text("DIAGNOSTIC-NDR 550 5.7.1 TLS required")).to_be_visible()
    check_folded(page)
    assert list(screens.faults_at_width(page, screens.NARROW)) == []


def check_folded(page: Page) -> None:
    quoted = page.get_by_text("> Their server asks for TLS.")
    expect(quoted).to_be_hidden()
    page.get_by_text("Quoted from earlier messages").click()
    expect(quoted).to_be_visible()
    page.get_by_text("Attached message: m15 rfc822 attachment").click()
    expect(page.get_by_text("ALPHAONE see attached mail")).to_be_visible()
