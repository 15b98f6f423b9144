"""Mail, flags and other people's work appear on open pages of webmail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.visitor import Person, Visits
from tests.peers.postern import Postern
from tests.peers.push_service import PushService

pytestmark = pytest.mark.journey

OWN_STREAMS = """performance.getEntriesByType("resource")
    .filter((one) => one.name.includes("/live/events/")).length"""
# Browsers without windows show no notifications: this one notes what it would show.
NOTES_NOTIFICATIONS = """
    window.shown = [];
    window.Notification = class {
        static permission = "default";
        static async requestPermission() { return Notification.permission = "granted"; }
        constructor(title) { shown.push(title); }
    };
    if (localStorage.length) Notification.permission = "granted";
"""
# It has no push service either: the tests' own fake makes the keys.
SUBSCRIBES = """([given]) => {
    PushManager.prototype.subscribe = async () => ({
        toJSON: () => given, unsubscribe: async () => true,
    });
}"""
RECORDS = """() => {
    self.shown = [];
    self.registration.showNotification = async (title, {tag, data}) => {
        self.shown.push([title, tag, data.url]);
    };
}"""
HIDE = "Object.defineProperty(document, 'hidden', {get: () => true})"
IS_FOCUSED = "(box) => box === document.activeElement"


def row(page: Page, subject: str) -> Locator:
    return page.locator(".app-mail-row", has_text=subject)


def test_what_others_do_appears_without_a_reload(
    visit: Visits, postern: Postern, ben: Person, david: Person
) -> None:
    sender = visit(david)

    def send(subject: str) -> None:
        sender.write(to=ben["address"], subject=subject, text="See the bundle.")
        sender.send()

    send("Listing of Monday")
    reader = visit(ben)
    reader.open("/mail/")
    first = reader.page
    second = first.context.new_page()
    second.goto(first.url)
    plain = visit(ben, java_script_enabled=False)
    plain.open("/mail/")
    chosen = row(first, "Listing of Monday").get_by_role("checkbox")
    chosen.check()
    chosen.focus()

    send("Bundle for Tuesday")

    for tab in (first, second):
        expect(row(tab, "Bundle for Tuesday")).to_be_visible()
        assert tab.evaluate(OWN_STREAMS) == 0  # a worker has one for both
        expect(tab.locator("p[data-live-news]")).to_contain_text("Bundle for Tuesday")
    expect(chosen).to_be_checked()
    assert chosen.evaluate(IS_FOCUSED)
    assert "unread)" in first.title()
    assert first.title() == second.title()
    expect(row(plain.page, "Bundle for Tuesday")).to_have_count(0)
    plain.page.reload()
    expect(row(plain.page, "Bundle for Tuesday")).to_be_visible()

    row(plain.page, "Bundle for Tuesday").get_by_role("checkbox").check()
    plain.press("Archive")

    expect(row(first, "Bundle for Tuesday")).to_have_count(0)
    expect(row(second, "Bundle for Tuesday")).to_have_count(0)
    expect(chosen).to_be_checked()


def test_readers_of_a_group_mailbox_see_what_another_does(
    visit: Visits, ben: Person, priya: Person
) -> None:
    reader, worker = visit(priya), visit(ben, java_script_enabled=False)
    for one in (reader, worker):
        one.open("/mail/")
        one.follow("Listing")
    shown = reader.page.locator(".app-mail-row")
    subject = shown.first.locator(".app-mail-row__subject").inner_text()
    flagged = shown.first.get_by_text("Flagged")
    expect(flagged).to_have_count(0)

    row(worker.page, subject).first.get_by_role("checkbox").check()
    worker.page.locator("summary", has_text="More").first.click()
    worker.press("Flag")

    expect(flagged).to_have_count(1)


def test_a_browser_shows_a_notification_once_it_was_asked_to(
    visit: Visits, ben: Person, david: Person
) -> None:
    sender, reader = visit(david), visit(ben)
    page = reader.page
    page.add_init_script(NOTES_NOTIFICATIONS)
    reader.open("/mail/arrival-notices/")
    asked = page.evaluate("Notification.permission")
    reader.press("Show notifications in this browser")
    assert reader.sees("Notifications are on in this browser.")
    reader.open("/mail/")
    page.evaluate(HIDE)

    sender.write(to=ben["address"], subject="Order of Friday", text="See the bundle.")
    sender.send()
    expect(row(page, "Order of Friday")).to_be_visible()

    assert asked == "default"
    assert page.evaluate("shown") == [f"New mail for {ben['name']}"]


def test_a_browser_is_notified_while_no_page_of_mail_is_open(
    visit: Visits, postern: Postern, ben: Person, tmp_path: Path
) -> None:
    reader = visit(ben)
    page, context = reader.page, reader.page.context
    context.add_init_script(NOTES_NOTIFICATIONS)
    with PushService(tmp_path) as service:
        made = service.subscribe("AAAA").keys
    given = {
        "endpoint": "https://127.0.0.1/push/1",
        "keys": {name: made[name] for name in ("p256dh", "auth")},
    }
    reader.open("/mail/arrival-notices/")
    page.evaluate(SUBSCRIBES, [given])
    reader.press("Notify this browser")
    assert reader.sees("(this one)")
    reader.open("/mail/")
    with page.expect_event("domcontentloaded"):
        page.reload()
    [worker] = context.service_workers
    worker.evaluate(RECORDS)
    registrations: list[dict[str, str]] = []
    browser = context.new_cdp_session(page)
    browser.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(event["registrations"]),
    )
    browser.send("ServiceWorker.enable")
    while not registrations:
        page.wait_for_timeout(100)

    def push(said: dict[str, str]) -> None:
        browser.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": postern.web,
                "registrationId": registrations[0]["registrationId"],
                "data": json.dumps(said),
            },
        )

    said = {"title": "New mail for Ben", "tag": "mailbox-1", "url": "/mail/"}
    push({**said, "title": "Not while mail is looked at"})
    page.wait_for_timeout(500)
    reader.open("/account/")
    push(said)
    expect(page.get_by_role("heading").first).to_be_visible()
    for _ in range(50):
        if worker.evaluate("self.shown.length"):
            break
        page.wait_for_timeout(100)

    assert worker.evaluate("self.shown") == [list(said.values())]
    reader.open("/mail/arrival-notices/")
    page.get_by_role("button", name="Remove").click()
    assert reader.sees("is no longer notified")
