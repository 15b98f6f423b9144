"""The compose page in a real browser: keyboard, autosave, attachments, WCAG."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Person
from engine.storage.models import FolderRole
from portal.webmail.contacts import actions
from portal.webmail.contacts.contact_card import Card
from portal.webmail.models import DraftFile, Signature, WritingPreferences
from tests.peers.chromium import OpenPage
from tests.portal import screens, walks
from tests.portal.webmail.compose_page import messages_in, only_message_in
from tests.portal.webmail.conftest import store_message

CHARLIE = "charlie@harbour.secure.example"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("charlie"),
]


@pytest.fixture
def page(
    open_page: OpenPage, as_bob: Client, bob: Person, live_server: LiveServer
) -> Page:
    WritingPreferences.objects.create(person=bob, asks_about_new=False)
    page = open_page(base_url=live_server.url)
    session = as_bob.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    return page


def test_a_message_is_written_and_sent_by_keyboard_alone(
    page: Page, bob: Person
) -> None:
    actions.add(bob, Card("Charlie Court", CHARLIE))
    page.goto(reverse("webmail:compose"))

    page.get_by_role("combobox", name="To", exact=True).focus()
    page.keyboard.type("charl")
    option = page.get_by_role("option").first
    expect(option).to_contain_text("Charlie Court")
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#id_to")).to_have_value(f"Charlie Court <{CHARLIE}>, ")
    expect(page.locator("#recipients")).to_contain_text("Harbour Chambers")
    page.get_by_label("Subject").focus()
    page.keyboard.type("Hearing")
    page.keyboard.press("Tab")
    page.keyboard.type("See you on Monday.")
    page.get_by_role("button", name="Send", exact=True).focus()
    page.keyboard.press("Enter")

    expect(
        page.get_by_role("status").filter(has_text="will be sent in")
    ).to_be_visible()
    sent, _ = only_message_in(bob.mailbox, FolderRole.SENT)
    assert sent.subject == "Hearing"
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.locator("#id_text")).to_have_value("See you on Monday.")
    assert not messages_in(bob.mailbox, FolderRole.SENT)


def test_what_is_typed_while_the_page_still_loads_is_kept(page: Page) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/combobox\b.*\.js$"), lambda route: held.append(route))
    page.goto(reverse("webmail:compose"), wait_until="commit")
    to = page.locator("#id_to")
    to.press_sequentially("charlie@har")
    page.wait_for_timeout(0)  # lets the browser ask for the script

    held[0].continue_()
    expect(page.get_by_role("combobox", name="To", exact=True)).to_be_attached()
    page.keyboard.type("bour.secure.example")

    expect(to).to_have_value(CHARLIE)


def test_words_are_saved_meanwhile_and_a_second_window_is_told(
    page: Page, bob: Person
) -> None:
    url = reverse("webmail:draft", args=[bob.mailbox.pk, uuid4()])
    page.goto(url)
    page.locator("#id_text").press_sequentially("One")
    expect(page.locator("#saved")).to_contain_text("Saved")
    second = page.context.new_page()
    second.goto(url)
    expect(second.locator("#id_text")).to_have_value("One")

    page.locator("#id_text").press_sequentially(" two")
    expect(page.locator("#version")).not_to_have_value(
        second.locator("#version").input_value()
    )
    second.locator("#id_text").press("End")
    second.locator("#id_text").press_sequentially(" three")

    note = second.locator(".app-write__forked")
    expect(note).to_contain_text("another window")
    second.locator("#id_text").press_sequentially(" four")
    expect(second.locator("#saved")).to_contain_text("Saved")
    second.wait_for_timeout(2500)
    assert second.url != page.url
    second.reload()
    expect(second.locator("#id_text")).to_have_value("One three four")
    texts = [m.subject for m in messages_in(bob.mailbox, FolderRole.DRAFTS)]
    assert len(texts) == 2


def test_words_typed_just_before_leaving_the_page_are_kept(
    page: Page, bob: Person
) -> None:
    url = reverse("webmail:draft", args=[bob.mailbox.pk, uuid4()])
    page.goto(url)
    page.locator("#id_text").press_sequentially("Last words")
    page.get_by_role("link", name="Back to Inbox").click()
    page.get_by_role("heading", name="Inbox", level=1).wait_for()

    # The browser sends them in its own time. Playwright's wait_for_function would take a
    # promise for true.
    page.evaluate(
        """async url => {
          for (let tries = 0; tries < 150; tries += 1) {
            if ((await (await fetch(url)).text()).includes('Last words')) return;
            await new Promise(done => setTimeout(done, 200));
          }
          throw new Error('The words were not saved.');
        }""",
        url,
    )
    page.goto(url)
    expect(page.locator("#id_text")).to_have_value("Last words")


def test_a_message_sent_while_it_is_being_saved_is_sent_once(
    page: Page, bob: Person
) -> None:
    page.goto(reverse("webmail:compose") + f"?to={CHARLIE}")
    page.get_by_label("Subject").fill("Hearing")
    asked = []
    page.route("**/save/", lambda route: asked.append(route))
    page.locator("#id_text").press_sequentially("On Monday")
    page.wait_for_event("request", lambda asking: asking.url.endswith("/save/"))
    page.get_by_role("button", name="Send", exact=True).click()
    asked[0].continue_()

    expect(
        page.get_by_role("status").filter(has_text="will be sent in")
    ).to_be_visible()
    only_message_in(bob.mailbox, FolderRole.SENT)
    assert not messages_in(bob.mailbox, FolderRole.DRAFTS)


def test_a_message_does_not_leave_without_a_file_that_is_on_its_way(
    page: Page, bob: Person, tmp_path: Path
) -> None:
    file = tmp_path / "Bundle.pdf"
    file.write_bytes(b"%PDF-1.7 x")
    page.goto(reverse("webmail:compose") + f"?to={CHARLIE}")
    page.get_by_label("Subject").fill("Hearing")
    asked = []
    page.route("**/files/", lambda route: asked.append(route))
    with page.expect_request("**/files/"):
        page.locator("#id_attachments").set_input_files([file])
    send = page.get_by_role("button", name="Send", exact=True)
    # Not by a click: the button ignores a second click within a second.
    send.evaluate("button => button.form.requestSubmit(button)")
    expect(page.locator("#file-list")).to_contain_text("still being added")
    asked[0].continue_()
    expect(page.locator("#file-list")).to_contain_text("No virus found")
    send.click()

    expect(
        page.get_by_role("status").filter(has_text="will be sent in")
    ).to_be_visible()
    _, reading = only_message_in(bob.mailbox, FolderRole.SENT)
    assert [shown.name for shown in reading.attachments] == ["Bundle.pdf"]


def test_a_file_dropped_anywhere_is_attached_and_the_page_stays(page: Page) -> None:
    page.goto(reverse("webmail:compose"))
    page.locator("#id_text").fill("Kept words")
    files = page.evaluate_handle(
        """() => {
          const carried = new DataTransfer();
          carried.items.add(new File(["%PDF-1.7 x"], "Bundle.pdf"));
          return carried;
        }"""
    )

    page.dispatch_event("#id_text", "drop", {"dataTransfer": files})

    expect(page.locator("#file-list")).to_contain_text("Bundle.pdf")
    expect(page.locator("#id_text")).to_have_value("Kept words")


def test_files_are_attached_and_removed_without_leaving_the_page(
    page: Page, bob: Person, tmp_path: Path
) -> None:
    good, bad = tmp_path / "Bundle.pdf", tmp_path / "run.exe"
    good.write_bytes(b"%PDF-1.7 x")
    bad.write_bytes(b"MZ")
    page.goto(reverse("webmail:compose"))
    page.locator("#id_text").fill("Kept words")

    page.locator("#id_attachments").set_input_files([good])
    expect(page.locator("#file-list")).to_contain_text("Bundle.pdf")
    expect(page.locator("#file-list")).to_contain_text("No virus found")
    page.locator("#id_attachments").set_input_files([bad])
    expect(page.locator("#file-list")).to_contain_text("run.exe was not added")
    page.get_by_role("button", name="Remove Bundle.pdf").click()
    expect(page.locator("#file-list")).not_to_contain_text("Bundle.pdf")

    expect(page.locator("#id_text")).to_have_value("Kept words")
    assert not DraftFile.objects.exists()


def test_no_page_of_writing_or_of_the_address_book_breaks_wcag(
    page: Page, bob: Person, live_server: LiveServer
) -> None:
    charlie = actions.add(bob, Card("Charlie Court", CHARLIE, "Harbour", note="x"))
    group = actions.add_group(bob, name="Monday's list")
    actions.add_to_group(group, [Card("Charlie", CHARLIE)])
    signature = Signature.objects.create(
        mailbox=bob.mailbox, name="Short", text="Bob\nListing", is_default=True
    )
    message = store_message(bob.mailbox)
    urls = [
        reverse("webmail:reply_all", args=[message.pk]),
        reverse("webmail:find_people", args=[bob.mailbox.pk, uuid4()]),
        *walks.WRITER,
        reverse("webmail:contacts") + "?q=nobody",
        reverse("webmail:contact", args=[charlie.pk]),
        reverse("webmail:delete_contact", args=[charlie.pk]),
        reverse("webmail:contact_group", args=[group.pk]),
        reverse("webmail:signature", args=[signature.pk]),
    ]

    found = [
        fault for url in urls for fault in screens.faults(page, live_server.url + url)
    ]
    page.goto(reverse("webmail:compose") + "?to=nobody@x.example, " + CHARLIE)
    page.locator("#id_to").press_sequentially("charl")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    found += screens.faults_at_width(page, screens.NARROW)
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".govuk-error-summary").wait_for()
    found += screens.faults_at_width(page, screens.NARROW)

    assert found == []
