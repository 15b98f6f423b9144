"""One journey by keyboard: assign, label, and the notice of a colliding answer."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from engine.registry.models import Mailbox, Person
from engine.storage.models import Label, Message
from engine.storage.organising import notes
from tests.peers.chromium import OpenPage
from tests.portal import screens
from tests.portal.webmail.conftest import store_message


def test_group_work_by_keyboard(
    open_page: OpenPage,
    bobs: Client,
    alices: Client,
    office: Mailbox,
    bob: Person,
    alice: Person,
    live_server,
) -> None:
    label = Label.objects.create(mailbox=office, name="Urgent", colour="red")
    message = store_message(office, subject="Hearing on Monday")
    notes.add(office, message, text="Ask Vera first.", by=alice)
    page = open_page()
    session = bobs.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    listed = reverse("webmail:folder", args=[message.folder_id])
    page.goto(live_server.url + listed)

    for organise in ("assign", "label"):
        page.locator(f"#choose-{message.pk}").press("Space")
        page.locator(".app-mail__more-summary").press("Enter")
        page.locator(f"[name=organise][value={organise}]").press("Enter")
        expect(page.locator(".govuk-notification-banner__content")).to_be_visible()
    expect(page.locator(".app-mail-row__assignee")).to_contain_text("Bob")
    expect(page.locator(".app-mail-row .app-label")).to_contain_text("Urgent")
    page.locator(".app-mail-row__link").press("Enter")
    page.get_by_role("link", name="Reply", exact=True).press("Enter")
    expect(page.locator("#others-writing")).to_be_empty()

    alices.get(reverse("webmail:reply", args=[message.pk]))
    page.locator("#id_text").press_sequentially("Thank you.")

    expect(page.locator("#others-writing")).to_contain_text(
        "Alice has been writing an answer since"
    )
    urls = [
        listed,
        reverse("webmail:read", args=[message.pk]),
        reverse("webmail:labels", args=[office.pk]),
        reverse("webmail:label", args=[office.pk, label.pk]),
        reverse("webmail:reply", args=[message.pk]),
    ]
    assert [
        fault for url in urls for fault in screens.faults(page, live_server.url + url)
    ] == []
    assert Message.objects.get(pk=message.pk).assigned_to == bob.pk
