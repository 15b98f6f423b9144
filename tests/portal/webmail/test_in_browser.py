"""Webmail in a real browser: the sandboxed frame, the keyboard, and WCAG."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Route
from pytest_django.live_server_helper import LiveServer

from engine.registry.models import Mailbox, Person
from engine.storage.models import FolderRole, Message
from portal.webmail.rendering import message_html
from portal.webmail.rendering.html_sanitiser import SafeHtml
from tests import factories
from tests.peers.chromium import OpenPage
from tests.portal import screens, walks
from tests.portal.webmail.conftest import PDF, compose_html, store_message

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = [(1280, 900), (320, 700)]
# Axe spends most of its time on contrast: each size in one scheme.
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]

HOSTILE = """
<script>
  parent.document.title = 'owned'; top.location = '/help/';
  parent.postMessage('owned', '*'); fetch('https://evil.example/fetch');
</script>
<meta http-equiv="refresh" content="0;url=https://evil.example/refresh">
<link rel="stylesheet" href="https://evil.example/sheet.css">
<link rel="prefetch" href="https://evil.example/prefetch">
<style>
  @import "https://evil.example/import.css";
  @font-face { font-family: f; src: url(https://evil.example/font); }
  body { background: url(https://evil.example/background); font-family: f; }
</style>
<img src="https://evil.example/picture" onerror="parent.postMessage('owned', '*')">
<svg><image href="https://evil.example/svg"/></svg>
<video src="https://evil.example/video" poster="https://evil.example/poster"></video>
<iframe src="https://evil.example/frame"></iframe>
<iframe srcdoc="<script>top.postMessage('owned', '*')</script>"></iframe>
<object data="https://evil.example/object"></object>
"""
COVER = "style='position:fixed;top:0;left:0;width:100%;height:100%;display:block'"


@dataclass
class Visit:
    """A browser page, and the requests that it made to other servers."""

    page: Page
    server: str
    asked: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        self.page.goto(self.server + url)

    def heard(self) -> list[str]:
        """Returns what frames posted to the page within half a second of loading."""
        self.page.wait_for_timeout(500)
        return self.page.evaluate("window.heard")


@pytest.fixture
def visit(open_page: OpenPage, as_bob: Client, live_server: LiveServer) -> Visit:
    """Bob's browser, with a stub for every other server."""
    page = open_page(viewport={"width": SIZES[0][0], "height": SIZES[0][1]})
    session = as_bob.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    page.context.add_init_script(
        "window.heard = []; addEventListener('message', e => heard.push(e.data))"
    )
    visit = Visit(page, live_server.url)

    def answer(route: Route) -> None:
        visit.asked.append(route.request.url)
        route.fulfill(body="<title>Elsewhere</title>", content_type="text/html")

    page.context.route("**://*.example/**", answer)
    return visit


@pytest.fixture
def without_sanitiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disables the sanitiser, to test the other two defences alone."""
    monkeypatch.setattr(
        message_html,
        "sanitise_html",
        lambda markup, pictures: SafeHtml(markup, False),
    )


def url(message: Message) -> str:
    return reverse("webmail:read", args=[message.pk])


@pytest.mark.usefixtures("without_sanitiser")
def test_the_frame_alone_stops_scripts_requests_and_messages_to_the_page(
    visit: Visit, bob: Person, live_server: LiveServer
) -> None:
    message = store_message(bob.mailbox, compose_html(HOSTILE))

    visit.open(url(message))
    heard = visit.heard()
    title, address = visit.page.title(), visit.page.url

    assert heard == []
    assert visit.asked == []
    assert "owned" not in title
    assert address == live_server.url + url(message)


@pytest.mark.usefixtures("without_sanitiser")
@pytest.mark.parametrize(
    "bait",
    [
        f"<form action='https://evil.example/form' target=_top><button {COVER}>x</button>",
        f"<form action='/account/logout/' method=post><button {COVER}>x</button></form>",
        f"<a href='https://evil.example/top' target=_top {COVER}>x</a>",
        f"<a href='https://evil.example/parent' target=_parent {COVER}>x</a>",
        f"<a href='javascript:parent.postMessage(1, \"*\")' {COVER}>x</a>",
    ],
)
def test_the_frame_alone_stops_forms_and_links_that_take_the_page_away(
    visit: Visit, bob: Person, live_server: LiveServer, bait: str
) -> None:
    message = store_message(bob.mailbox, compose_html(bait))

    visit.open(url(message))
    visit.page.locator("iframe.app-message__frame").click()
    heard = visit.heard()
    address = visit.page.url

    assert heard == []
    assert visit.asked == []
    assert address == live_server.url + url(message)


@pytest.mark.usefixtures("without_sanitiser")
def test_the_content_opened_alone_is_as_harmless(
    visit: Visit, bob: Person, live_server: LiveServer
) -> None:
    message = store_message(bob.mailbox, compose_html(HOSTILE))

    visit.open(reverse("webmail:content", args=[message.pk]))
    visit.page.wait_for_timeout(500)
    address = visit.page.url

    assert visit.asked == []
    assert address.endswith("/content/")


def test_a_link_in_a_message_opens_beside_and_tells_nothing_of_us(
    visit: Visit, bob: Person, live_server: LiveServer
) -> None:
    message = store_message(
        bob.mailbox, compose_html("<a href='https://court.example/list'>The list</a>")
    )

    visit.open(url(message))
    link = visit.page.frame_locator("iframe.app-message__frame").get_by_text("The list")
    with visit.page.context.expect_page() as opened:
        link.click()
    opened.value.wait_for_load_state()
    referrer = opened.value.evaluate("document.referrer")
    opener = opened.value.evaluate("String(window.opener)")

    assert visit.asked == ["https://court.example/list"]
    assert referrer == ""
    assert opener == "null"


def test_the_keyboard_gets_past_the_folders_and_chooses(
    visit: Visit, bob: Person, live_server: LiveServer
) -> None:
    message = store_message(bob.mailbox)

    visit.open(reverse("webmail:folder", args=[message.folder_id]))
    keys = visit.page.keyboard
    for key in ("Tab", "Enter", "Tab", "Enter", "Tab"):
        keys.press(key)
    reached = visit.page.evaluate("document.activeElement.id")
    visit.page.focus(f"#choose-{message.pk}")
    keys.press("Space")
    visit.page.focus("button[value=archive]")
    keys.press("Enter")
    visit.page.wait_for_selector("text=1 message moved to Archive")
    # The banner may take the focus until the page has loaded.
    visit.page.wait_for_load_state()
    visit.page.focus(".app-mail__undo button")
    keys.press("Enter")
    visit.page.wait_for_selector("text=1 message moved back to Inbox")

    assert reached == "search"


@pytest.fixture
def urls(bob: Person, team: Mailbox) -> list[str]:
    """The URL of every page in each of its states."""
    factories.make_grant(team, bob, can_read=True)
    unread = store_message(bob.mailbox, subject="A subject that is rather long " * 5)
    shown = store_message(
        bob.mailbox, compose_html("<h1>Notice</h1><img src='https://x.example/p'>")
    )
    filed = store_message(bob.mailbox, attachments=[PDF], is_read=True)
    group = store_message(team)
    empty = [f.pk for f in bob.mailbox.folders.exclude(role=FolderRole.INBOX)]
    return [
        reverse("webmail:folder", args=[unread.folder_id]),
        reverse("webmail:folder", args=[group.folder_id]),
        *(reverse("webmail:folder", args=[pk]) for pk in empty),
        *(url(message) for message in (unread, shown, filed, group)),
        url(shown) + "?view=text",
        *(
            reverse(f"webmail:{name}", args=[bob.mailbox.pk])
            for name in (
                "settings",
                "rules",
                "rule_new",
                "out_of_office",
                "exports",
                "folder_new",
            )
        ),
        *(
            reverse("webmail:search", args=[bob.mailbox.pk]) + query
            for query in ("", "?q=hearing", "?q=is:lost")
        ),
        reverse("webmail:folder_bulk_actions", args=[unread.folder_id]),
        reverse("webmail:source", args=[filed.pk]),
        reverse("webmail:print", args=[filed.pk]) + "?all=1",
        url(filed) + "?q=hearing",
        *walks.READER,
        reverse("webmail:reply_all", args=[filed.pk]),
    ]


@pytest.mark.parametrize(("size", "scheme"), [*zip(SIZES, SCHEMES, strict=True)])
def test_no_page_breaks_wcag_or_needs_scrolling_sideways(
    visit: Visit,
    urls: list[str],
    size: tuple[int, int],
    scheme: Literal["light", "dark"],
) -> None:
    wrong = []
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    visit.page.emulate_media(color_scheme=scheme)
    for page in urls:
        visit.open(page)
        wrong += _violations(visit.page, page)
    visit.page.click("button[value=send]:visible")
    visit.page.wait_for_selector(".govuk-error-summary")
    wrong += _violations(visit.page, "with errors")

    assert wrong == []


def _violations(page: Page, name: str) -> list[str]:
    found = screens.violations(page, {"runOnly": WCAG})
    wrong = [f"{name}: {one['id']} {one['nodes'][0]}" for one in found]
    root = "document.documentElement"
    if page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"):
        wrong.append(f"{name}: wider than the window")
    return wrong
