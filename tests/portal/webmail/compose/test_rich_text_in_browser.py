"""Writing with formatting in a real browser: a pasted picture, hostile paste, a kill."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import suppress
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Error, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Person
from engine.storage.models import FolderRole
from portal.webmail.models import DraftFile, WritingPreferences
from tests.peers.chromium import OpenPage, launch_options
from tests.portal import screens
from tests.portal.webmail.compose_page import JANE, only_message_in
from tests.portal.webmail.conftest import compose_html, store_message
from tests.portal.webmail.rendering.test_written_html import SHAPES

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("firm_connection"),
]
PASTE = """async ([html, hasPicture]) => {
  const carried = new DataTransfer();
  if (html) carried.setData("text/html", html);
  if (hasPicture) {
    const canvas = Object.assign(document.createElement("canvas"), {width: 40, height: 20});
    canvas.getContext("2d").fillRect(0, 0, 40, 20);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    carried.items.add(new File([blob], "image.png", {type: "image/png"}));
  }
  document.getElementById("editor").dispatchEvent(new ClipboardEvent(
    "paste", {clipboardData: carried, bubbles: true, cancelable: true}));
}"""


def sign_in(page: Page, client: Client, live_server: LiveServer) -> Page:
    session = client.cookies["sessionid"].value
    cookie = {"name": "sessionid", "value": session, "url": live_server.url}
    page.context.add_cookies([cookie])
    return page


@pytest.fixture
def page(
    open_page: OpenPage, as_bob: Client, bob: Person, live_server: LiveServer
) -> Page:
    """The browser of Bob, who writes with formatting."""
    WritingPreferences.objects.create(person=bob, writes_rich_text=True)
    options = {"base_url": live_server.url, "viewport": {"width": 1280, "height": 800}}
    return sign_in(open_page(**options), as_bob, live_server)


def test_a_reply_is_written_with_formatting_and_a_pasted_picture(
    page: Page, bob: Person
) -> None:
    message = store_message(bob.mailbox, compose_html("<p>Hello <b>Bob</b></p>"))
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(reverse("webmail:reply", args=[message.pk]))
    editor = page.get_by_role("textbox", name="Message")
    expect(editor).to_be_focused()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()
    expect(page.locator("#id_attachments")).to_be_in_viewport()
    expect(page.locator("#editor blockquote")).to_have_count(0)

    page.keyboard.type("Dear Jane")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Bullets").click()
    page.keyboard.type("one")
    page.evaluate(PASTE, ["", True])
    expect(page.locator("#editor img")).to_have_count(1)
    expect(page.locator(".app-editor__state")).to_contain_text("No virus found")
    page.set_viewport_size({"width": screens.NARROW, "height": 900})
    assert list(screens.faults_at_width(page, screens.NARROW)) == []
    page.get_by_role("button", name="Send", exact=True).click()
    expect(
        page.get_by_role("status").filter(has_text="will be sent in")
    ).to_be_visible()

    sent, parsed = only_message_in(bob.mailbox, FolderRole.SENT)
    [words] = parsed.reading.words
    assert "<ul><li>" in words.part.text() and "<blockquote" in words.part.text()
    assert len(parsed.reading.pictures) == 1
    text = parsed.whole_text()
    assert text.startswith("Dear Jane\n\n- one") and "\n> Hello Bob" in text
    assert faults == []
    page.goto(reverse("webmail:read", args=[sent.pk]))
    shown = page.frame_locator("iframe[data-measure]").locator("img")
    assert shown.evaluate("picture => picture.naturalWidth") == 40


def test_what_is_pasted_runs_nothing_and_asks_for_nothing(
    page: Page, live_server: LiveServer
) -> None:
    asked: list[str] = []
    page.goto(reverse("webmail:compose") + f"?to={JANE}")
    page.locator("#editor").click()
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.evaluate("() => { window.go = () => fetch('/ran'); }")

    for shape in SHAPES:
        page.evaluate(PASTE, [f"<p>word {shape}</p>", False])
    page.keyboard.type("end")

    expect(page.locator("#saved")).to_contain_text("Saved")
    own = ("/write/", "/mail/live/", "/live_stream.js")
    assert [url for url in asked if not any(map(url.__contains__, own))] == []
    assert page.url.startswith(live_server.url + "/mail/write/")
    allowed = "#editor :is(script, style, iframe, object, embed, svg, math, form, img)"
    expect(page.locator(allowed)).to_have_count(0)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_a_browser_that_is_killed_loses_five_seconds_at_most(
    chromium: Browser,
    page: Page,
    as_bob: Client,
    bob: Person,
    live_server: LiveServer,
) -> None:
    url = reverse("webmail:draft", args=[bob.mailbox.pk, uuid4()])
    doomed = chromium.browser_type.launch(**launch_options())
    writer = sign_in(doomed.new_page(base_url=live_server.url), as_bob, live_server)
    writer.goto(url)
    rich = sign_in(doomed.new_page(base_url=live_server.url), as_bob, live_server)
    rich.goto(reverse("webmail:compose"))
    rich_url = rich.locator("#write").get_attribute("data-draft-url")
    rich.locator("#editor").click()
    processes = doomed.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    [pid] = [one["id"] for one in processes["processInfo"] if one["type"] == "browser"]
    writer.locator("#id_text").focus()
    typed: list[tuple[float, str]] = []
    start = time.monotonic()
    # Without a pause, as the time after the last key would save it otherwise.
    while time.monotonic() - start < 8:
        word = f"w{len(typed)} "
        writer.keyboard.type(word)
        rich.keyboard.type(word)
        typed.append((time.monotonic(), word))
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()

    needed = "".join(word for at, word in typed if at < killed - 5)
    page.goto(url)
    kept = page.locator("#id_text").input_value()
    assert needed and kept.startswith(needed.rstrip())
    page.goto(rich_url)
    assert page.locator("#editor").inner_text().startswith(needed.rstrip())


def test_files_on_their_way_follow_a_draft_that_becomes_one_of_its_own(
    page: Page, bob: Person
) -> None:
    page.goto(reverse("webmail:compose"))
    url = page.locator("#write").get_attribute("data-draft-url")
    page.locator("#editor").press_sequentially("Mine")
    expect(page.locator("#saved")).to_contain_text("Saved")
    old = url.split("/")[-2]
    held: list[Route] = []
    page.route(f"**/{old}/files/", lambda route: held.append(route))
    page.route(f"**/{old}/pictures/", lambda route: held.append(route))
    file = {"name": "Bundle.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    picture = {"name": "seal.png", "mimeType": "image/png", "buffer": PNG}
    with page.expect_request("**/files/"):
        page.locator("#id_attachments").set_input_files([file])
    with page.expect_request("**/pictures/"):
        page.locator("[data-picture]").set_input_files([picture])
    save_elsewhere(page, url)

    page.locator("#editor").press_sequentially(" too")
    expect(page.locator(".app-write__forked")).to_contain_text("another window")
    expect(page.locator("#file-list")).to_contain_text("No virus found")
    for route in held:
        with suppress(Error):  # the page gave the file up, and sent it again
            route.continue_()

    own = page.url.split("/")[-2]
    expect(page.locator("#editor img")).to_have_attribute("src", re.compile(own))
    expect(page.locator("#file-list li")).to_have_count(1)
    assert own != old
    files = DraftFile.objects.filter(token=own)
    assert sorted(files.values_list("name", flat=True)) == ["Bundle.pdf", "seal.png"]


def save_elsewhere(page: Page, url: str) -> None:
    """Saves other words over a draft, as another window does."""
    page.evaluate(
        """url => {
          const body = new FormData(document.getElementById("write"));
          body.delete("html");
          for (const [name, value] of [["text", "Theirs"], ["window", "f".repeat(32)]])
            body.set(name, value);
          return fetch(`${url}save/`, { method: "POST", body });
        }""",
        url,
    )
