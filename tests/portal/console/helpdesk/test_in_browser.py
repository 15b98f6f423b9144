"""Accessibility of the helpdesk's screens, for requesters and agents."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from engine.registry.models import Person
from portal.helpdesk import ticket_links
from portal.helpdesk.actions import canned_replies, tickets
from portal.helpdesk.models import CannedReply
from portal.helpdesk.status import Category, Status
from tests.portal import screens, walks
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import OpenTicket

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
