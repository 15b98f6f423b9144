"""Messages with formatting: sanitised, with a plain version, pictures and folded quotes."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from engine.registry.models import Mailbox, Person
from engine.storage import content
from engine.storage.models import FolderRole
from portal.webmail.models import DraftFile, Signature, WritingPreferences
from tests.engine.antivirus import specimens
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import (
    CHARLIE,
    JANE,
    KNOWN,
    ComposePage,
    file,
    messages_in,
    only_message_in,
)
from tests.portal.webmail.conftest import PDF, compose_html, store_message

pytestmark = pytest.mark.usefixtures("firm_connection", "charlie")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
HTML = (
    "<div>Dear <b>Charlie</b>,</div><div><br></div><ul><li>one</li><li>two</li></ul>"
    '<div>See <a href="https://court.example/list">the list</a></div>'
)
TEXT = "Dear Charlie,\n\n- one\n- two\n\nSee the list <https://court.example/list>"


@pytest.fixture
def compose_page(bob: Person) -> ComposePage:
    """The compose page of Bob, who writes with formatting; messages leave immediately."""
    WritingPreferences.objects.create(person=bob, undo_seconds=0, writes_rich_text=True)
    return ComposePage(bob.mailbox)


def html_in(page: str) -> str:
    """Returns what the editor starts with."""
    found = re.search(r'<template data-html="([^"]*)"', page)
    return unescape(found[1]) if found else ""


def add_picture(
    client: Client, page: ComposePage, data: bytes = PNG, name: str = "Plan.png"
) -> HttpResponse:
    upload = SimpleUploadedFile(name, data, "image/png")
    return client.post(f"{page.url}pictures/", {"attachments": upload})


def test_a_message_leaves_with_its_formatting_and_a_plain_version(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", to=CHARLIE, html=HTML, text="from the browser")

    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    [words] = received.reading.words
    [plain] = words.alternatives
    assert HTML.replace("<a ", "<a ").split("<a")[0] in words.part.text()
    assert plain.part.content_type == "text/plain"
    assert plain.part.text().replace("\r\n", "\n").strip() == TEXT


def test_a_draft_keeps_its_formatting_where_it_is_not_changed(
    as_bob: Client, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "save", html=HTML)
    page = compose_page.page(as_bob)
    assert "<b>Charlie</b>" in html_in(page)
    shown = re.search(r'id="id_text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert shown and unescape(shown[1]) == TEXT

    # As a browser without JavaScript posts it.
    compose_page.post(as_bob, "save", text=TEXT.replace("\n", "\r\n"), subject="New")
    assert "<b>Charlie</b>" in html_in(compose_page.page(as_bob))
    compose_page.post(as_bob, "save", text=f"{TEXT} changed")

    assert html_in(compose_page.page(as_bob)) == ""


def test_formatting_is_turned_on_and_off_for_one_message(
    as_bob: Client, bob: Person
) -> None:
    page = ComposePage(bob.mailbox)
    assert not html_in(as_bob.get(reverse("webmail:compose")).content.decode())

    rich = page.post(as_bob, "format", text="One <b>\n\nTwo").content.decode()
    assert html_in(rich).startswith("<div>One &lt;b&gt;</div><div><br></div>")
    plain = page.post(as_bob, "plain", html=html_in(rich)).content.decode()

    assert html_in(plain) == ""
    assert "One &lt;b&gt;\n\nTwo</textarea>" in plain


def test_plain_text_asks_before_it_drops_what_was_formatted(
    as_bob: Client, bob: Person
) -> None:
    page = ComposePage(bob.mailbox)
    page.post(as_bob, "format", text="One")
    bold = "<div><b>One</b></div>"

    asked = page.post(as_bob, "plain", html=bold).content.decode()
    assert "Use plain text all the same" in asked and html_in(asked) == bold
    assert "Use plain text all the same" not in page.page(as_bob)
    plain = page.post(as_bob, "plain-anyway", html=bold).content.decode()

    assert html_in(plain) == "" and "One</textarea>" in plain


def test_who_chose_formatting_starts_with_it_and_with_the_signature(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    for name, text in (("Long", "Bob\nListing"), ("Short", "B")):
        Signature.objects.create(
            mailbox=bob.mailbox, name=name, text=text, is_default=name == "Long"
        )
    html = html_in(as_bob.get(reverse("webmail:compose")).content.decode())
    assert "<div>Bob</div><div>Listing</div>" in html

    page = compose_page.post(
        as_bob, "sign", html=f"<div>Hi</div>{html}", signature="Short"
    )
    html = html_in(page.content.decode())

    assert "Listing" not in html and "<div>B</div>" in html and "<div>Hi</div>" in html


def test_a_reply_quotes_what_it_answers_apart_and_lets_it_go(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage
) -> None:
    shape = (
        "<style>p{color:red}</style><p onclick=x>Hello <b>Bob</b><img src=http://x/>"
    )
    message = store_message(bob.mailbox, compose_html(shape))

    page = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()
    html = html_in(page)
    assert '<div data-quoted="1"><div>On ' in html
    assert "<blockquote><p>Hello <b>Bob</b></p></blockquote>" in html
    assert " data-writes-first" in page and " autofocus>" in page

    compose_page.post(as_bob, "send", to=CHARLIE, html=f"<div>Yes</div>{html}")
    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert "\n> Hello Bob" in received.whole_text()
    page = ComposePage(bob.mailbox).post(
        as_bob, "unquote", html=f"<div>Yes</div>{html}"
    )

    assert "Hello" not in page.content.decode()


def test_a_plain_reply_lets_its_quote_go_without_a_script(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)
    page = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()
    assert 'value="unquote"' in page
    shown = re.search(r'id="id_text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert shown

    text = f"Yes{unescape(shown[1])}"
    page = ComposePage(bob.mailbox).post(as_bob, "unquote", text=text).content.decode()

    assert ">\nYes</textarea>" in page


def test_a_forwarded_message_keeps_its_formatting_and_its_files(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    message = store_message(
        bob.mailbox, html="<p>Hello <b>Bob</b></p>", attachments=[PDF]
    )

    url = reverse("webmail:forward", args=[message.pk])
    page = as_bob.post(url, follow=True).content.decode()

    assert "<div>From: Jane Jones" in html_in(page)
    assert "<b>Bob</b>" in html_in(page) and "Bundle.pdf" in page


def test_a_picture_in_the_text_is_stored_shown_and_sent_in_its_place(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    src = add_picture(as_bob, compose_page).json()["src"]
    shown = as_bob.get(src)
    assert (shown.content, shown["Content-Type"]) == (PNG, "image/png")
    assert shown["Content-Security-Policy"] == "default-src 'none'; sandbox"
    html = f'<div>See <img src="{src}" alt="Plan"></div>'
    page = compose_page.post(as_bob, "save", html=html).content.decode()
    assert f'<img src="{src}" alt="Plan">' in html_in(page)
    assert "Plan.png" not in page

    compose_page.post(as_bob, "send", to=CHARLIE, html=html, attachments=[file()])

    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    [picture] = received.reading.pictures
    assert picture.data() == PNG
    assert [one.name for one in received.attachments] == ["Bundle.pdf"]
    [words] = received.reading.words
    assert f'src="cid:{picture.content_id}"' in words.part.text()
    assert received.whole_text().strip() == "See [Plan]"
    assert not DraftFile.objects.exists()


def test_a_picture_that_left_the_text_is_not_sent_and_plain_text_attaches_it(
    as_bob: Client, charlie: Person, bob: Person, compose_page: ComposePage
) -> None:
    add_picture(as_bob, compose_page)
    compose_page.post(as_bob, "send", to=CHARLIE, html="<div>x</div>")
    other = ComposePage(bob.mailbox)
    src = add_picture(as_bob, other).json()["src"]
    other.post(as_bob, "save", html=f'<img src="{src}">')
    other.post(as_bob, "send", to=CHARLIE, text="plain now")

    plain, rich = messages_in(charlie.mailbox, FolderRole.INBOX)

    assert not rich.has_attachments
    assert plain.has_attachments


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a PNG"),
        (PNG + bytes(3 * 1024 * 1024), "has at most 2.0"),
        (PNG + specimens.EICAR, "virus scanner found"),
        (b"", "Choose a picture"),
    ],
    ids=["svg", "large", "infected", "none"],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    as_bob: Client, compose_page: ComposePage, data: bytes, sentence: str
) -> None:
    answer = (
        add_picture(as_bob, compose_page, data)
        if data
        else as_bob.post(f"{compose_page.url}pictures/", {})
    )

    assert answer.status_code == 422
    assert sentence in answer.json()["problem"].replace("\xa0", " ")
    assert not DraftFile.objects.exists()


def test_nobody_else_sees_a_picture_of_a_draft(
    as_bob: Client, signed_in: SignIn, alice: Person, compose_page: ComposePage
) -> None:
    src = add_picture(as_bob, compose_page).json()["src"]
    own = src.replace(
        f"/{compose_page.mailbox.pk}/write", f"/{alice.mailbox.pk}/write", 1
    )

    client = signed_in(alice, second_factor=True)
    assert client.get(src).status_code == client.get(own).status_code == 404


def test_what_is_taken_back_keeps_formatting_and_pictures(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    WritingPreferences.objects.update(undo_seconds=30)
    src = add_picture(as_bob, compose_page).json()["src"]
    page = compose_page.post(
        as_bob,
        "send",
        to=JANE,
        html=f'<div><b>Hi</b><img src="{src}" alt="Plan"></div>',
    )
    undo = re.search(r'action="(/mail/sent/[^"]+)"', page.content.decode())
    assert undo

    page = as_bob.post(undo[1], follow=True).content.decode()

    html = html_in(page)
    [picture] = DraftFile.objects.all()
    assert "<b>Hi</b><img" in html and f"/pictures/{picture.pk}/" in html
    assert content.read(picture) == PNG


def test_a_mailbox_under_a_grant_keeps_pictures_in_its_own_drafts(
    as_bob: Client, bob: Person, team: Mailbox, compose_page: ComposePage
) -> None:
    team.grants.create(person=bob, can_read=True, can_send=True)
    page = ComposePage(team)

    src = add_picture(as_bob, page).json()["src"]

    assert f"/mailboxes/{bob.mailbox.pk}/" in src
    assert as_bob.get(src).status_code == 200
    shown = page.post(as_bob, "save", html=f'<img src="{src}">').content.decode()
    assert src in html_in(shown)


def test_too_complicated_formatting_is_refused_and_the_text_kept(
    as_bob: Client, compose_page: ComposePage
) -> None:
    html = "<div>" * 300 + "Deep" + "</div>" * 300

    page = compose_page.post(
        as_bob, "send", to=CHARLIE, html=html, text="Deep", confirmed=KNOWN
    ).content.decode()

    assert "formatting is too complicated" in page
    assert ">\nDeep</textarea>" in page
