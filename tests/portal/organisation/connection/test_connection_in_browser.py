"""Accessibility of the connection's screens, and a test that runs step by step."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from engine.registry.models import Connection, Kind, Organisation, Person
from onboarding.connecting import actions
from tests import factories, jobs
from tests.portal import screens
from tests.portal.conftest import SignIn

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(page: Page, live_server, signed_in: SignIn, firm: Organisation) -> Page:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    cookie = signed_in(jane, second_factor=True).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": "sessionid", "value": cookie.value, "url": live_server.url}]
    )
    return page


def test_connecting(
    page: Page, live_server, firm: Organisation, firm_connection: Connection
) -> None:
    service = factories.make_organisation(name="Service desk", kind=Kind.OPERATOR)
    factories.make_domain(service, "secure.example")
    jane = Person.objects.get(organisation=firm)
    firm_connection.next_hop_port = 1
    firm_connection.save()
    credential = factories.make_connection_credential(firm_connection, "firm", "1")
    claim = factories.make_domain(firm, "second.example", verified_at=None)
    _, token = actions.share(firm_connection, name="IT department", by=jane)
    base = f"{live_server.url}/organisation/{firm.pk}/"
    pages = f"{base}connection/{firm_connection.pk}/"

    page.goto(f"{pages}test/")
    page.get_by_role("button", name="Start the test").click()
    expect(page.get_by_text("The test is running.")).to_be_visible()
    expect(page.get_by_role("button", name="Copy test address")).to_be_visible()
    jobs.run_queued()
    expect(page.get_by_text("Let our server through your firewall")).to_be_visible()
    watched = page.url

    addresses = [
        pages,
        f"{pages}test/",
        watched,
        f"{pages}settings/server/",
        f"{pages}settings/source/",
        f"{pages}settings/unproven/",
        f"{pages}set-up/postfix/",
        f"{pages}password/{credential.pk}/end/",
        f"{pages}share/",
        f"{base}addresses/",
        f"{base}addresses/add/",
        f"{base}addresses/{claim.pk}/",
        f"{live_server.url}/organisation/shared/{token}/",
        f"{live_server.url}/organisation/shared/{token}/exchange/",
    ]
    faults = [fault for url in addresses for fault in screens.faults(page, url)]
    assert faults == []

    page.goto(f"{pages}password/")
    page.get_by_role("button", name="Make a new password").press("Enter")
    expect(page.get_by_role("heading", name="Your new password")).to_be_visible()
    assert list(screens.faults_at_width(page, screens.WIDE)) == []

    page.goto(f"{live_server.url}/organisation/shared/{token}/")
    page.get_by_role("button", name="Make a password and show it once").click()
    expect(page.locator('[data-copy="password"]')).to_be_visible()
