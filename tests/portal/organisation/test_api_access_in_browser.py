"""Accessibility of the pages about API keys."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page

from engine.registry.actions import api_keys, webhooks
from engine.registry.models import Person, WebhookEvent
from engine.registry.scopes import Scope
from tests.portal import screens
from tests.portal.conftest import SignIn

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_pages_of_the_api_have_no_faults(
    page: Page, live_server, signed_in: SignIn, alice: Person
) -> None:
    place = alice.organisation
    key, _ = api_keys.add(
        place, name="Case management", scopes=[Scope.READ_PEOPLE], by=alice
    )
    endpoint = webhooks.add(
        place,
        url="https://cases.northfield.example/hooks/postern",
        events=list(WebhookEvent),
        by=alice,
    )
    client = signed_in(alice, second_factor=True)
    pages = f"{live_server.url}/organisation/{place.pk}/api/"
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": cookie, "url": live_server.url}]
    )
    found = [
        fault
        for url in (
            f"{live_server.url}/api/",
            pages,
            f"{pages}keys/add/",
            f"{pages}keys/{key.pk}/revoke/",
            f"{pages}webhooks/add/",
            f"{pages}webhooks/{endpoint.pk}/secret/",
        )
        for fault in screens.faults(page, url)
    ]
    page.goto(f"{pages}webhooks/{endpoint.pk}/secret/")
    page.get_by_role("button", name="Change the secret").click()
    page.get_by_text("Copy the secret now").wait_for()
    found += screens.faults_at_width(page, screens.NARROW)

    assert found == []
