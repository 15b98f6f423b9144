"""Every screen that exists, as each who may open it, at WCAG 2.2 AA, wide and narrow.

With POSTERN_PICTURES set to a folder, a picture of each screen is kept there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.conftest import Visitor
from tests.peers.postern import Postern

pytestmark = pytest.mark.journey

WIDE, NARROW = 1280, 320
STANDARD = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    }
}

PUBLIC = [
    "/",
    "/help/",
    "/privacy/",
    "/accessibility/",
    "/nothing-here/",
    "/apply/",
    "/apply/questions/organisation/",
    "/account/login/",
    "/account/password/reset/",
]
MEMBER = [
    "/account/",
    "/account/app-passwords/",
    "/account/password/change/",
    "/account/second-factor/",
    "/account/second-factor/totp/activate/",
    "/account/second-factor/passkeys/",
    "/account/second-factor/passkeys/add/",
    "/account/logout/",
    "/mail/",
    "/mail/write/",
]
ADMINISTRATOR = ["/organisation/"]
STAFF = [
    "/admin/",
    "/admin/applications/",
    "/admin/queue/",
    "/admin/trace/",
    "/admin/quarantine/",
    "/admin/outbox/",
]
AUDITOR = ["/admin/audit/"]


def faults(page: Page) -> list[str]:
    """What axe finds, one line for each kind of fault."""
    found = Axe().run(page, options=STANDARD).response["violations"]
    return [
        f"{page.url}: {fault['id']}: {fault['nodes'][0]['html'][:160]}"
        for fault in found
    ]


def scrolls_sideways(page: Page) -> bool:
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
    )


class Inspector:
    """Looks at the page that a visitor has open, at both widths."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, page: Page, name: str) -> None:
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 900})
            self.found += faults(page)
            if scrolls_sideways(page):
                self.found.append(f"{page.url}: scrolls sideways at {width}")
            _keep_picture(page, f"{name}-{width}")

    def open_all(self, visitor: Visitor, paths: list[str], who: str) -> None:
        for path in paths:
            visitor.open(path)
            self.look(visitor.page, f"{who}{path.replace('/', '_')}")


def _keep_picture(page: Page, name: str) -> None:
    folder = os.environ.get("POSTERN_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture
def inspector() -> Iterator[Inspector]:
    inspector = Inspector()
    yield inspector
    assert inspector.found == []


def test_public_pages_have_no_fault(visitor: Visitor, inspector: Inspector) -> None:
    inspector.open_all(visitor, PUBLIC, "public")

    visitor.open("/apply/questions/organisation/")
    visitor.press("Continue")
    inspector.look(visitor.page, "public_apply_errors")
    visitor.open("/account/login/")
    visitor.fill(login="nobody@secure.example", password="wrong")
    visitor.press("Sign in")
    inspector.look(visitor.page, "public_login_errors")


def test_a_members_pages_have_no_fault(
    visitor: Visitor, inspector: Inspector, postern: Postern
) -> None:
    visitor.sign_in(postern.person("member", address="priya@northgate.secure.example"))

    inspector.open_all(visitor, MEMBER, "member")
    visitor.open("/mail/")
    visitor.page.locator(".app-mail-row__link").first.click()
    inspector.look(visitor.page, "member_read")
    visitor.follow("Reply")
    visitor.fill(to="nobody@stranger.example")
    visitor.press("Send")
    inspector.look(visitor.page, "member_reply_errors")


def test_an_administrators_pages_have_no_fault(
    visitor: Visitor, inspector: Inspector, postern: Postern
) -> None:
    visitor.sign_in(
        postern.person("administrator", organisation="Northgate Crown Court")
    )

    inspector.open_all(visitor, ADMINISTRATOR, "administrator")
    visitor.open("/organisation/")
    visitor.page.get_by_role("link", name="People").first.click()
    inspector.look(visitor.page, "administrator_people")


def test_staff_pages_have_no_fault(
    visitor: Visitor, inspector: Inspector, postern: Postern
) -> None:
    visitor.sign_in(postern.person("operator"))

    inspector.open_all(visitor, STAFF, "operator")


def test_an_auditors_pages_have_no_fault(
    visitor: Visitor, inspector: Inspector, postern: Postern
) -> None:
    visitor.sign_in(postern.person("auditor"))

    inspector.open_all(visitor, AUDITOR, "auditor")
    visitor.press("Verify the whole trail")
    inspector.look(visitor.page, "auditor_verified")
