"""Messages as they were written: every surface of webmail, the API and a real browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from engine.mail.message import with_line_ends
from engine.registry.models import Person
from engine.storage.models import Message
from portal.webmail.models import DraftFile
from tests.api.conftest import Key, key
from tests.peers.chromium import OpenPage
from tests.portal.webmail.conftest import store_message

__all__ = ["key"]

CASES = Path("tests/messages")


@dataclass(frozen=True)
class Case:
    """What must be seen of a message: its texts in order, its files and pictures.

    `laid_out` are the texts where the message has HTML and is shown with its layout.
    """

    name: str
    texts: tuple[str, ...]
    laid_out: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The texts as the message opens."""
        return self.laid_out or self.texts


CASE_LIST = [
    Case(
        "mixed-html-pdf-html",
        ("ALPHAONE before", "BETATWO the hearing moved to Tuesday"),
        ("ALPHAONE before", "BETATWO the hearing moved to Tuesday"),
        files=("a.pdf",),
    ),
    Case(
        "mixed-text-beside-html",
        ("ALPHAONE plain", "BETATWO html"),
        ("ALPHAONE plain", "BETATWO html"),
    ),
    Case(
        "alternative-then-footer",
        ("ALPHAONE plain", "BETATWO list footer / second text part"),
        ("ALPHAONE html", "BETATWO list footer / second text part"),
    ),
    Case("type-without-subtype", ("ALPHAONE BETATWO body",)),
    Case("named-text-as-whole-message", ("ALPHAONE BETATWO body",)),
    Case(
        "invitation",
        ("ALPHAONE plain",),
        ("ALPHAONE",),
        files=("attachment-3.ics",),
        notices=("BETATWO Hearing", "Tuesday 1 December 2026, 10:00"),
    ),
    Case(
        "attached-message",
        ("ALPHAONE see attached mail",),
        files=("attachment-2.eml",),
        notices=("BETATWO inner text",),
    ),
    Case(
        "format-flowed",
        ("ALPHAONE this is a flowedparagraph that should join BETATWO",),
    ),
    Case(
        "inline-picture",
        ("See the screenshot:", "Regards"),
        ("See the screenshot:", "Regards"),
        pictures=("image001.png",),
    ),
    Case(
        "inline-picture-cid-encoded", ("ALPHAONE",), ("ALPHAONE",), pictures=("e.png",)
    ),
    Case("unnamed-pdf", ("scan",), files=("attachment-2.pdf", "attachment-3.jpg")),
]
EACH = pytest.mark.parametrize("case", CASE_LIST, ids=lambda case: case.name)


def store(case: Case, person: Person) -> Message:
    raw = (CASES / f"{case.name}.eml").read_bytes()
    return store_message(person.mailbox, with_line_ends(raw))


def text_of(page: str) -> str:
    """The page as a reader sees it, its line ends kept."""
    return unescape(re.sub(r"<[^>]*>", "", page.replace("<wbr>", "")))


def get(client: Client, name: str, *arguments: object, **query: str) -> str:
    answer = client.get(reverse(f"webmail:{name}", args=arguments), query)
    assert answer.status_code == 200
    return text_of(answer.content.decode())


def assert_in_order(texts: tuple[str, ...], page: str) -> None:
    at = 0
    for text in texts:
        found = page.find(text, at)
        assert found >= 0, text
        at = found + len(text)


@EACH
def test_the_page_shows_every_text_in_order_and_offers_every_file(
    as_bob: Client, bob: Person, case: Case
) -> None:
    message = store(case, bob)

    page = get(as_bob, "read", message.pk)

    words = get(as_bob, "content", message.pk) if case.laid_out else page
    assert_in_order(case.shown, words)
    for one in (*case.files, *case.notices):
        assert one in page


@EACH
@pytest.mark.parametrize("name", ["read", "print"])
def test_so_do_the_text_view_and_the_printed_page_pictures_too(
    as_bob: Client, bob: Person, case: Case, name: str
) -> None:
    message = store(case, bob)

    page = get(as_bob, name, message.pk, view="text")

    assert_in_order(case.texts, page)
    for one in (*case.files, *case.pictures):
        assert one in page


@EACH
def test_a_reply_quotes_every_text(as_bob: Client, bob: Person, case: Case) -> None:
    message = store(case, bob)

    page = get(as_bob, "reply", message.pk)

    assert_in_order(tuple(f"> {text}" for text in case.texts), page)


@EACH
@pytest.mark.parametrize("way", ["forward", "edit_as_new"])
def test_a_forwarded_or_edited_message_keeps_texts_files_and_pictures(
    as_bob: Client, bob: Person, case: Case, way: str
) -> None:
    message = store(case, bob)

    answer = as_bob.post(reverse(f"webmail:{way}", args=[message.pk]), follow=True)

    assert_in_order(case.texts, text_of(answer.content.decode()))
    kept = set(DraftFile.objects.values_list("name", flat=True))
    assert kept == {*case.files, *case.pictures}


@EACH
def test_the_api_returns_every_text_file_and_picture(
    key: Key, bob: Person, case: Case
) -> None:
    message = store(case, bob)
    call = key(bob.organisation)

    found = call("GET", f"/messages/{message.pk}/").json()

    assert_in_order(case.texts, found["text"])
    if case.laid_out:
        assert_in_order(case.laid_out, text_of(found["html"]))
    files = {one["name"]: one["path"] for one in found["attachments"]}
    assert set(files) == {*case.files, *case.pictures}
    for path in files.values():
        part = call("GET", f"/messages/{message.pk}/attachments/{path}/")
        assert part.status_code == 200
        assert part.content


@EACH
def test_search_finds_every_word(as_bob: Client, bob: Person, case: Case) -> None:
    message = store(case, bob)
    texts = " ".join((*case.texts, *case.laid_out, *case.notices))

    for word in set(re.findall(r"[A-Za-z]{5,}", texts)) - {"Tuesday", "December"}:
        page = get(as_bob, "search", bob.mailbox.pk, q=word)
        assert message.subject in page, word


@EACH
def test_a_browser_shows_it(
    open_page: OpenPage, as_bob: Client, bob: Person, live_server, case: Case
) -> None:
    message = store(case, bob)
    page = open_page()
    session = as_bob.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )

    page.goto(live_server.url + reverse("webmail:read", args=[message.pk]))

    for opened in page.locator("details.app-conversation__one summary").all():
        opened.click()
    body = page.locator("main").inner_text()
    words = body
    if case.laid_out:
        frame = page.frame_locator("iframe.app-message__frame")
        words = frame.locator("body").inner_text()
        for picture in frame.locator("img").all():
            assert picture.get_attribute("src").startswith("data:image/png;base64,")
        assert frame.locator("img").count() == len(case.pictures)
    assert_in_order(case.shown, words)
    for one in (*case.files, *case.notices):
        assert one in body
