"""An event, a bounce and an attached message in a real browser: axe, keyboard, two widths."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from engine.mail.message import with_line_ends
from engine.registry.models import Person
from tests.peers.chromium import OpenPage
from tests.portal import screens
from tests.portal.webmail.conftest import store_message
from tests.portal.webmail.mailbox.test_message_view import BOUNCE, INVITATION

ATTACHED = Path("tests/messages/attached-message.eml").read_bytes()
MESSAGES = {
    "an event": (INVITATION % {b"method": b"REQUEST"}, ""),
    "a bounce": (BOUNCE, ""),
    "an attached message": (ATTACHED, "2"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_a_message_says_in_a_form_for_programs_can_be_read_by_everyone(
    open_page: OpenPage, as_bob: Client, bob: Person, live_server, name: str
) -> None:
    raw, path = MESSAGES[name]
    message = store_message(bob.mailbox, with_line_ends(raw))
    page = open_page()
    session = as_bob.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    urls = [reverse("webmail:read", args=[message.pk])]
    if path:
        urls.append(reverse("webmail:attached", args=[message.pk, path]))

    found = [
        fault for url in urls for fault in screens.faults(page, live_server.url + url)
    ]

    assert found == []
