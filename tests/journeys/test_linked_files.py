"""A file too large for a message: sent as a link, and opened by both kinds of recipients."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys import letters
from tests.journeys.firm import JANE, JANE_INSIDE
from tests.journeys.letters import wait_for_message_at_firm
from tests.journeys.visitor import Person, Visits
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until
from tests.portal import screens

pytestmark = pytest.mark.journey

LARGE = b"One page of the bundle for the hearing on Monday\n" * 800_000  # 39 MB


def test_a_large_file_is_sent_as_a_link_and_opened_by_its_recipients_alone(
    visit: Visits, firm: Postfix, ben: Person, david: Person, tmp_path: Path
) -> None:
    (tmp_path / "bundle.txt").write_bytes(LARGE)
    (tmp_path / "annex.txt").write_bytes(LARGE[:1000])
    author = visit(ben)
    author.write(
        to=f"{david['address']}, {JANE_INSIDE}",
        subject="The large bundle",
        text="It is too large for a message.",
    )
    author.page.set_input_files("#id_attachments", tmp_path / "bundle.txt")
    author.press("Send bundle.txt as a link")
    expect(author.page.locator("#link-list")).to_contain_text("Sent as a link")
    author.press("Send a file as a link")
    found = list(screens.faults(author.page, author.page.url))
    author.page.set_viewport_size({"width": screens.WIDE, "height": 900})
    author.page.set_input_files("#id_attachments", tmp_path / "annex.txt")
    author.press("Upload and continue writing")
    expect(author.page.locator("#link-list")).to_contain_text("annex.txt")
    author.send()

    # Hosted, and without scripts.
    reader = visit(david, java_script_enabled=False)
    wait_until(lambda: reader.finds("/mail/", "The large bundle"), "the message")
    reader.follow("The large bundle")
    text = reader.page.inner_text("#mail")
    [first, _] = re.findall(r"https?://\S+/files/[\w-]+/", text)
    reader.page.goto(first)
    assert reader.download("Download bundle.txt") == LARGE

    # At a server of its own, and not signed in.
    message = wait_for_message_at_firm(firm, "jane", "The large bundle")
    assert first in letters.text_of(message)
    jane = visit()
    found += screens.faults(jane.page, first)
    assert "bundle.txt" not in jane.page.content()
    jane.fill(address=JANE)
    jane.press("Send me a code")
    found += screens.faults(jane.page, jane.page.url)
    notice = wait_for_message_at_firm(firm, "jane", "Your code to open files")
    [code] = re.findall(r"Your code is ([0-9 ]{9})", letters.text_of(notice))
    jane.fill(code=code)
    jane.press("Show the files")
    assert jane.sees(JANE_INSIDE)
    assert jane.download("Download annex.txt") == LARGE[:1000]
    found += screens.faults(jane.page, first)

    author.open("/mail/")
    author.follow("Files sent as links")
    found += screens.faults(author.page, author.page.url)
    [of_bundle, of_annex] = author.page.locator(".govuk-summary-card").all()[::-1]
    expect(of_bundle).to_contain_text(david["address"])
    expect(of_annex).to_contain_text(JANE_INSIDE)
    of_bundle.get_by_role("link", name="Stop sharing").click()
    found += screens.faults(author.page, author.page.url)
    author.press("Stop sharing")
    found += screens.faults(jane.page, first, status=410)
    assert jane.sees("This link has expired")
    assert found == []
