"""The preview of an import in a real browser: axe at two widths, and the keyboard."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Person
from portal.webmail.contacts import import_choice
from portal.webmail.models import Contact
from tests.portal import screens
from tests.portal.conftest import SignIn

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROWS = [
    "Name,E-mail Address,Company,Notes",
    "Jane Jones,jane@firm.example,Firm Solicitors,",
    "Ann Ample,ann@ample.example,,",
    "Siân Ifans,sian@llys.example,Llys y Goron,",
    "SiÃ¢n Evans,desk: evans@chambers.example,Harbour Chambers,",
    "Bob Brown,bob@firm.example,Firm, Leeds, Floor 2",
    "Zoë O’Brien,zoe.with.a.very.long.local.part@a.very.long.domain.of.chambers.example,,",
    "Carl,no address,,",
]


def test_doubtful_contacts_are_chosen_in_a_browser(
    page: Page,
    live_server: LiveServer,
    signed_in: SignIn,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(import_choice, "DOUBTS_SHOWN", 3)
    cookie = signed_in(bob).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": cookie, "url": live_server.url}]
    )
    data = b"".join(
        f"{row}\n".encode("cp1252" if row[0] in "Z" else "utf-8") for row in ROWS
    )
    page.set_viewport_size({"width": screens.WIDE, "height": 900})
    page.goto(live_server.url + reverse("webmail:import_contacts"))
    page.get_by_label("File with contacts").set_input_files(
        {"name": "contacts.csv", "mimeType": "text/csv", "buffer": data}
    )
    page.get_by_role("button", name="Look at the file").click()

    expect(page.get_by_role("heading", name="Check the import")).to_be_visible()
    found = list(screens.faults_at_width(page, screens.WIDE))
    found += screens.keyboard_faults(page)
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": screens.NARROW, "height": 900})
    found += screens.faults_at_width(page, screens.NARROW)
    assert found == []

    page.get_by_label("Bob Brown").check()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("4 contacts added, 2 left out.")).to_be_visible()
    assert Contact.objects.filter(name="Bob Brown").exists()
