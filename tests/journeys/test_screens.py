"""Screens of the running service that show the demo community.

tests/portal checks every other screen, in each of its states.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.journeys.visitor import Visitor, Visits
from tests.peers.postern import Postern
from tests.portal import screens

pytestmark = pytest.mark.journey

# Wagtail's messages fade in, and have other colours until then.
SETTLED = """() => [...document.querySelectorAll('.messages > ul')]
  .every(one => getComputedStyle(one).opacity === '1')"""


class Inspector:
    """Checks the page that a visitor has open, at both widths."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def check(self, page: Page, says: str = "") -> None:
        """Checks the page once it contains `says`, as links take time to load."""
        if says:
            page.get_by_text(says).first.wait_for()
        page.wait_for_function(SETTLED)
        for width in (screens.WIDE, screens.NARROW):
            page.set_viewport_size({"width": width, "height": 900})
            self.found += (
                f"{page.url}: {f}" for f in screens.faults_at_width(page, width)
            )
        page.set_viewport_size({"width": screens.WIDE, "height": 900})


@pytest.fixture
def inspector() -> Iterator[Inspector]:
    inspector = Inspector()
    yield inspector
    assert inspector.found == []


def test_a_stranger_sees_the_start(visitor: Visitor, inspector: Inspector) -> None:
    for path in ("/", "/nothing-here/"):
        visitor.open(path)
        inspector.check(visitor.page)


def test_a_members_mail_has_no_fault(
    visit: Visits, inspector: Inspector, postern: Postern
) -> None:
    visitor = visit(postern.person("member", address="priya@northgate.secure.example"))

    visitor.open("/mail/")
    inspector.check(visitor.page)
    visitor.page.locator(".app-mail-row__link").first.click()
    inspector.check(visitor.page, "Reply")
    visitor.follow("Reply")
    visitor.fill(to="nobody@stranger.example")
    visitor.press("Send")
    inspector.check(visitor.page, "There is a problem")


def test_an_administrators_pages_have_no_fault(
    visit: Visits, inspector: Inspector, postern: Postern
) -> None:
    visitor = visit(
        postern.person("administrator", organisation="Northgate Crown Court")
    )

    visitor.open("/organisation/")
    inspector.check(visitor.page)
    for section in ("People", "Group mailboxes", "Distribution lists", "History"):
        visitor.follow(section)
        visitor.page.get_by_role("heading", name=section, level=1).wait_for()
        inspector.check(visitor.page)


def test_an_auditors_pages_have_no_fault(
    visit: Visits, inspector: Inspector, postern: Postern
) -> None:
    visitor = visit(postern.person("auditor"))

    visitor.open("/admin/audit/")
    inspector.check(visitor.page)
    visitor.press("Verify the whole trail")
    inspector.check(visitor.page, "follow from one another")
