from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from engine.mail.composer import Attachment
from engine.registry.models import Person
from engine.storage.models import FolderRole, Message
from portal.webmail.mailbox.message_view import attachment_response
from tests import smime
from tests.portal.webmail.conftest import (
    PDF,
    compose_html,
    compose_message,
    named_address,
    store_message,
)


def page_of(client: Client, message: Message, query: str = "") -> str:
    """Returns the page without the <wbr> in its addresses."""
    url = reverse("webmail:read", args=[message.pk]) + query
    return client.get(url).content.decode().replace("<wbr>", "")


def content_of(client: Client, message: Message) -> HttpResponse:
    return client.get(reverse("webmail:content", args=[message.pk]))


def test_a_message_shows_its_people_and_text(as_bob: Client, bob: Person) -> None:
    message = store_message(
        bob.mailbox,
        cc=[named_address("Carol", "carol@harbour.secure.example")],
        text="See https://court.example/ <b>now</b>\n",
    )

    page = page_of(as_bob, message)

    assert "&lt;jane@firm.example.secure.example&gt;" in page
    assert "carol@harbour.secure.example" in page
    assert '<a class="govuk-link" href="https://court.example/"' in page
    assert "&lt;b&gt;now&lt;/b&gt;" in page


def test_opening_a_message_marks_it_read(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    page_of(as_bob, message)

    message.refresh_from_db()
    assert message.is_read


def test_html_is_shown_in_a_frame_that_may_do_nothing(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(
        bob.mailbox, compose_html("<p>Hello</p><script>alert(1)</script>")
    )

    page = page_of(as_bob, message)
    content = content_of(as_bob, message)

    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "<p>Hello</p>" not in page
    assert "<p>Hello</p>" in content.content.decode()
    assert "alert" not in content.content.decode()
    policy = content["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox;")
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert "allow-scripts" not in policy and "allow-same-origin" not in policy
    assert content["X-Frame-Options"] == "SAMEORIGIN"
    assert content["X-Content-Type-Options"] == "nosniff"


def test_html_is_read_as_plain_text_on_request(as_bob: Client, bob: Person) -> None:
    message = store_message(
        bob.mailbox, compose_html("<h1>Notice</h1><p>Hello <b>Jane</b></p>")
    )

    page = page_of(as_bob, message, "?view=text")

    assert "<iframe" not in page
    assert "Hello Jane" in page
    assert "Show with its layout" in page


def test_pictures_from_elsewhere_are_mentioned(as_bob: Client, bob: Person) -> None:
    message = store_message(
        bob.mailbox, compose_html("<img src='https://evil.example/p.gif'>")
    )

    content = content_of(as_bob, message).content.decode()
    assert "Pictures from other websites are not shown" in content
    assert "evil.example" not in content


def test_html_beyond_all_bounds_gives_text_and_download(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(
        bob.mailbox, compose_html("<p>The words</p>" + "<div>" * 300_000)
    )

    content = content_of(as_bob, message).content.decode()

    assert "too large or too complicated" in content
    assert "The words" in content
    assert "The words" in page_of(as_bob, message, "?view=text")


def test_attachments_are_listed_and_arrive_byte_for_byte(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(
        bob.mailbox, attachments=[PDF, Attachment("a<b>.txt", "text/plain", b"x")]
    )

    page = page_of(as_bob, message)
    file = as_bob.get(reverse("webmail:part", args=[message.pk, "2"]))

    assert "2 attachments" in page
    assert "Bundle.pdf" in page
    assert "a_b_.txt" in page
    assert file.content == PDF.data
    assert file["Content-Disposition"] == 'attachment; filename="Bundle.pdf"'
    assert file["Content-Type"] == "application/octet-stream"


def test_a_part_that_is_not_there_is_not_found(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    for path in ("9", "2.1", "x"):
        answer = as_bob.get(reverse("webmail:part", args=[message.pk, path]))
        assert answer.status_code == 404


def test_an_attached_message_is_a_file_and_not_the_text(
    as_bob: Client, bob: Person
) -> None:
    inner = compose_message(text="SECRET OF THE INNER MESSAGE\n")
    message = store_message(
        bob.mailbox, attachments=[Attachment("Old.eml", "message/rfc822", inner)]
    )

    page = page_of(as_bob, message)
    file = as_bob.get(reverse("webmail:part", args=[message.pk, "2"]))

    assert "Old.eml" in page
    assert "SECRET" not in page.partition('<h2 class="govuk-heading-s" id="inner">')[0]
    assert b"SECRET" in file.content


def test_pictures_inside_the_html_are_set_in(as_bob: Client, bob: Person) -> None:
    raw = (
        b"From: a@firm.example\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/related; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<img src='cid:p1'>\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <p1>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <p2>\r\n\r\nlost\r\n--b--\r\n"
    )
    message = store_message(bob.mailbox, raw)

    content = content_of(as_bob, message).content.decode()
    page = page_of(as_bob, message)

    assert 'src="data:image/png;base64,iVBORw0KGgo="' in content
    assert "1 attachment<" in page


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: no more\r\n\r\n",
        b"\r\nno header at all\r\n",
        b"Subject: =?utf-8?b?" + b"/" * 5000 + b"?=\r\n\r\n\xff\xfe\x00 broken\r\n",
        b"From: " + b"(" * 5000 + b"\r\nTo: " + b"<" * 5000 + b"\r\n\r\nx",
        b"To: " + b"a@firm.example, " * 4000 + b"\r\n\r\nmany",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 500,
        b"Content-Type: text/html; charset=idna\r\n\r\n<p>\x00\xff",
        b'Content-Type: text/plain; charset="\x01"\r\n\r\nx',
        b"Content-Type: image/svg+xml\r\n\r\n<svg onload=alert(1)>",
        (
            b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
            b"Content-Type: application/pdf\r\nContent-Disposition: attachment; "
            b"filename*=utf-8''%2e%2e%2f%00%0d%0aX\r\n\r\nx\r\n--b--"
        ),
    ],
)
def test_hostile_messages_do_not_break_the_page(
    as_bob: Client, bob: Person, raw: bytes
) -> None:
    message = store_message(bob.mailbox, raw)

    page = as_bob.get(reverse("webmail:read", args=[message.pk]))
    listed = as_bob.get(reverse("webmail:folder", args=[message.folder_id]))
    answer = as_bob.get(reverse("webmail:reply_all", args=[message.pk]))
    forwarded = as_bob.post(reverse("webmail:forward", args=[message.pk]), follow=True)
    paper = as_bob.get(reverse("webmail:print", args=[message.pk]) + "?all=1")
    archive = as_bob.get(reverse("webmail:all_files", args=[message.pk]))
    list(archive)  # to the end, as a browser reads it
    for path in ("1", "2", "1.1"):
        shown = as_bob.get(reverse("webmail:preview", args=[message.pk, path]))
        assert shown.status_code == 404

    assert paper.status_code == 200 and archive.status_code in (200, 404)
    assert "<svg" not in paper.content.decode()
    assert page.status_code == listed.status_code == answer.status_code == 200
    assert forwarded.status_code == 200


def test_a_long_list_of_recipients_is_folded(as_bob: Client, bob: Person) -> None:
    many = [named_address("", f"p{n}@firm.example") for n in range(80)]
    message = store_message(bob.mailbox, to=many)

    page = page_of(as_bob, message)

    first, folded = page.split("<summary>and 75 more</summary>")
    assert "p4@firm.example" in first and "p5@firm.example" not in first
    assert "p79@firm.example" in folded
    paper = as_bob.get(reverse("webmail:print", args=[message.pk])).content.decode()
    assert "p79@<wbr>firm.<wbr>example" in paper and "<summary" not in paper


def test_a_list_of_recipients_without_end_is_cut(as_bob: Client, bob: Person) -> None:
    message = store_message(
        bob.mailbox, to=[named_address("", f"p{n}@x.example") for n in range(510)]
    )

    assert "and 10 more, listed in the downloaded message" in page_of(as_bob, message)


def test_the_original_is_downloaded_whole(as_bob: Client, bob: Person) -> None:
    raw = compose_message(subject="Re: a/b")
    message = store_message(bob.mailbox, raw)

    answer = as_bob.get(reverse("webmail:original", args=[message.pk]))

    assert answer.content == raw
    assert 'filename="Re_ a_b.eml"' in answer["Content-Disposition"]


def test_the_neighbours_of_a_sent_message_say_to_whom(
    as_bob: Client, bob: Person
) -> None:
    store_message(bob.mailbox, role=FolderRole.SENT)
    message = store_message(bob.mailbox, role=FolderRole.SENT)

    page = page_of(as_bob, message)

    assert page.count("To </span><bdi>Alice</bdi>") == 2


def test_the_neighbours_of_a_message_stand_beside_it(
    as_bob: Client, bob: Person
) -> None:
    store_message(bob.mailbox, subject="The one before")
    message = store_message(bob.mailbox, subject="This one")
    store_message(bob.mailbox, subject="The one after")
    store_message(bob.mailbox, subject="Elsewhere", role=FolderRole.ARCHIVE)

    page = page_of(as_bob, message)

    assert "The one before" in page and "The one after" in page
    assert "Elsewhere" not in page


def test_a_page_that_came_as_a_file_is_warned_of_twice(
    as_bob: Client, bob: Person
) -> None:
    page = Attachment("Sign in.html", "application/pdf", b"<form>Password")
    message = store_message(bob.mailbox, attachments=[page, PDF])

    read = page_of(as_bob, message)
    first = as_bob.get(reverse("webmail:part", args=[message.pk, "2"]))
    second = as_bob.get(reverse("webmail:part", args=[message.pk, "2"]), {"anyway": 1})
    other = as_bob.get(reverse("webmail:part", args=[message.pk, "3"]))

    assert read.count("Take care:") == 1
    assert "Take care with Sign in.html" in first.content.decode()
    assert "Content-Disposition" not in first
    assert second["Content-Disposition"].startswith("attachment")
    assert other["Content-Disposition"].startswith("attachment")


def test_signed_mail_shows_what_is_signed(as_bob: Client, bob: Person) -> None:
    entity = b"Content-Type: text/plain\r\n\r\nThe hearing is at ten.\r\n"
    message = store_message(bob.mailbox, smime.message(smime.signed(entity)))

    page = page_of(as_bob, message)

    assert "The hearing is at ten." in page
    assert "smime.p7m" in page
    assert "could not be scanned" not in page


def test_what_could_not_be_scanned_is_said_beside_the_message(
    as_bob: Client, bob: Person
) -> None:
    raw = b"X-Postern-Not-Scanned: encrypted PDF, rar archive\r\n" + compose_message()
    message = store_message(bob.mailbox, raw)

    page = page_of(as_bob, message)

    assert "could not be scanned for viruses: encrypted PDF, rar archive." in page


@pytest.mark.parametrize("kind", ["rfc822", "global", "news"])
def test_an_attached_message_is_offered_as_one(
    as_bob: Client, bob: Person, kind: str
) -> None:
    message = store_message(
        bob.mailbox,
        b"From: jane@firm.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + f"--b\r\nContent-Type: message/{kind}\r\n\r\n".encode()
        + b"Subject: Inside\r\n\r\nYes.\r\n--b--\r\n",
    )

    assert "attachment-1.eml" in page_of(as_bob, message)


def test_a_file_is_handed_over_and_never_shown() -> None:
    response = attachment_response(b"<script>alert(1)</script>", "Siân “1”.html")

    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; ")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


INVITATION = b"""\
From: Jane <jane@firm.example.secure.example>
To: alice@northfield.secure.example
Subject: Hearing
MIME-Version: 1.0
Content-Type: text/calendar; method=%(method)s; charset=utf-8

BEGIN:VCALENDAR
METHOD:%(method)s
BEGIN:VEVENT
UID:1
DTSTART:20270701T100000Z
DTEND:20270701T113000Z
SUMMARY:Directions hearing
LOCATION:Court 4
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
    ("method", "heading"), [(b"REQUEST", "Invitation"), (b"CANCEL", "Cancelled")]
)
def test_an_invitation_is_shown_in_the_readers_zone(
    as_bob: Client, bob: Person, method: bytes, heading: str
) -> None:
    raw = INVITATION % {b"method": method}
    message = store_message(bob.mailbox, raw.replace(b"\n", b"\r\n"))

    page = page_of(as_bob, message)

    assert f"{heading}</span> Directions hearing" in page
    assert "Thursday 1 July 2027, 11:00 to 12:30" in page  # British Summer Time
    assert "Court 4" in page
    assert "attachment-1.ics" in page


BOUNCE = b"""\
From: postmaster@firm.example.secure.example
To: bob@northfield.secure.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.firm.example

Final-Recipient: rfc822; nobody@firm.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown
--b
Content-Type: message/rfc822

Subject: The bundle

Please see the bundle.
--b--
"""


def test_a_bounce_is_shown_in_words_with_the_original_one_click_away(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, BOUNCE.replace(b"\n", b"\r\n"))

    page = page_of(as_bob, message)

    assert "A message could not be delivered" in page
    assert "nobody@firm.example" in page
    assert "550 5.1.1 User unknown" in page
    assert "What to do" in page
    original = reverse("webmail:attached", args=[message.pk, "3"])
    assert original in page
    assert "Please see the bundle." in as_bob.get(original).content.decode()


@pytest.mark.parametrize("kind", [b"plain", b"html"])
@pytest.mark.parametrize(
    ("name", "octets", "text", "is_damaged"),
    [
        (b"iso-8859-1", b"don\x92t J\xe4ne", "don’t Jäne", False),
        (b"shift_jis", b"\x93\xfa\x96{ \x81", "日本 \ufffd", True),
    ],
)
def test_a_text_says_where_characters_could_not_be_read(
    as_bob: Client,
    bob: Person,
    kind: bytes,
    name: bytes,
    octets: bytes,
    text: str,
    is_damaged: bool,
) -> None:
    raw = (
        b"From: jane@firm.example\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/" + kind + b"; charset=" + name + b"\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + octets + b"\r\n"
    )
    message = store_message(bob.mailbox, raw)

    pages = [page_of(as_bob, message, "?view=text")]
    printed = as_bob.get(reverse("webmail:print", args=[message.pk]))
    pages.append(printed.content.decode())
    if kind == b"html":
        pages.append(content_of(as_bob, message).content.decode())

    for page in pages:
        assert text in page
        assert ("could not be read" in page) == is_damaged
