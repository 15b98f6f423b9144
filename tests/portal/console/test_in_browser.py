"""Accessibility of the console's screens, at both widths."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Page

from engine.antivirus.models import QuarantinedMessage
from engine.registry.actions import sending_stops
from engine.registry.models import Connection, Organisation, Person, RoleName
from tests import factories
from tests.portal import screens
from tests.portal.conftest import SignIn
from tests.portal.console.test_screens import make_recipient
from tests.portal.organisation.mail.test_trace import send

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def _send(by: Person, to: Person) -> str:
    try:
        return send(by, to)
    finally:
        connection.close()


@pytest.fixture
def paths(
    firm: Organisation,
    firm_connection: Connection,
    alice: Person,
    bob: Person,
    olive: Person,
) -> list[str]:
    """The URL of each kind of screen, with content."""
    factories.make_connection_credential(firm_connection, "firm", "0" * 64)
    factories.make_app_password(bob, "1" * 64)
    make_recipient(last_reply="451 4.4.1 The server could not be reached")
    # Scanning runs its own event loop, and the browser's already runs in this thread.
    with ThreadPoolExecutor(1) as beside:
        reference = beside.submit(_send, alice, bob).result()
    kept = QuarantinedMessage.objects.create(
        reference="R9",
        signature="Eicar-Test",
        scanner="clamd",
        size=68,
        digest="0" * 64,
    )
    sending_stops.stop(firm_connection, reason="In a loop", by=olive)
    one = f"organisations/{firm.pk}/"
    found = [
        "",
        "search/?q=bob",
        "organisations/",
        "organisations/add/",
        one,
        f"{one}suspend/",
        f"{one}domains/",
        f"{one}connections/{firm_connection.pk}/",
        f"{one}connections/{firm_connection.pk}/edit/",
        f"organisations/{bob.organisation_id}/people/",
        f"organisations/{bob.organisation_id}/trace/",
        "people/",
        f"people/{bob.pk}/",
        f"people/{olive.pk}/roles/give/",
        "queue/",
        "queue/?status=held",
        "queue/do/?deed=drop&all=1",
        "queue/destinations/",
        "trace/",
        f"trace/{reference}/",
        "sending-stops/",
        f"sending-stops/person/{bob.pk}/",
        "quarantine/",
        f"quarantine/{kept.pk}/",
        "audit/",
        "health/",
    ]
    return [f"/admin/{path}" for path in found]


@pytest.fixture
def staff_page(page: Page, live_server, signed_in: SignIn, olive: Person) -> Page:
    """A browser signed in as an operator who is also an auditor."""
    factories.make_staff(olive, RoleName.AUDITOR)
    client = signed_in(olive, second_factor=True)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": cookie, "url": live_server.url}]
    )
    return page


def test_screens(paths: list[str], staff_page: Page, live_server) -> None:
    found = [
        fault
        for path in paths
        for fault in screens.faults(staff_page, live_server.url + path)
    ]

    assert found == []


def test_screens_can_be_read_in_the_dark(
    paths: list[str], staff_page: Page, live_server
) -> None:
    staff_page.emulate_media(color_scheme="dark")
    found = []
    for path in paths:
        if path.endswith(("/queue/", "/trace/", "/health/", "/organisations/")):
            staff_page.goto(live_server.url + path)
            found += screens.faults_at_width(staff_page, screens.WIDE)

    assert found == []
