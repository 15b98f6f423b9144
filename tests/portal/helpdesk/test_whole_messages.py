"""A ticket holds everything that was written: nothing is cut without being kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from engine.mail.composer import Attachment
from engine.mail.message import with_line_ends
from engine.registry.models import Mailbox, Person
from portal.helpdesk import attachments, ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.intake import collect
from portal.helpdesk.models import Entry, FoldedText, Ticket
from portal.helpdesk.policies import MAX_TEXT_LENGTH
from portal.helpdesk.status import EntryKind, FoldKind, Status
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import OpenTicket, deliver_mail

CASES = Path("tests/messages")
OUTLOOK = (
    "It works now, thank you.\n\n"
    "________________________________\n"
    "From: Postern helpdesk <{address}>\n"
    "Sent: 30 November 2026 09:12\n"
    "To: Bob\n"
    "Subject: [{number}] My message came back\n\n"
    "Try the other address.\n"
)


def request_of(ticket: Ticket) -> Entry:
    """The latest entry that the requester wrote."""
    return ticket.entries.filter(kind=EntryKind.REQUEST).latest("pk")


def opened_by(helpdesk: Mailbox, sender: str, raw: bytes) -> Entry:
    deliver_mail(helpdesk, sender, raw=with_line_ends(raw))
    collect.collect()
    return request_of(Ticket.objects.latest("pk"))


def replied(
    helpdesk: Mailbox, ticket: Ticket, text: str, **over: object
) -> FoldedText | None:
    """Sends the requester's reply to our letter; returns what was folded of it."""
    fields = {"to": ticket_links.reply_address(ticket), "text": text}
    deliver_mail(helpdesk, ticket.requester_address, **(fields | over))
    collect.collect()
    return request_of(ticket).folded_texts.first()


@pytest.fixture
def answered(open_ticket: OpenTicket, bob: Person, hugh: Person) -> Ticket:
    """Bob's ticket, with a reply of Hugh's."""
    ticket = open_ticket(bob)
    seen = ticket.entries.latest("pk").pk
    tickets.answer(
        ticket,
        "Try the other address.",
        status=Status.WAITING_FOR_REQUESTER,
        seen=seen,
        by=hugh,
    )
    return ticket


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("helpdesk-forwarded-bounce", ["Original Message", "DIAGNOSTIC-NDR 550"]),
        ("helpdesk-outlook-forward", ["From: Someone", "SCAMTEXT pay here"]),
        ("helpdesk-log-lines", ["> 550 5.7.1 relay denied LOGLINE1", "LOGLINE2"]),
        ("mixed-html-pdf-html", ["ALPHAONE", "BETATWO the hearing"]),
        ("mixed-text-beside-html", ["ALPHAONE", "BETATWO"]),
        ("alternative-then-footer", ["ALPHAONE", "BETATWO"]),
        ("named-text-as-whole-message", ["BETATWO"]),
        ("type-without-subtype", ["ALPHAONE BETATWO"]),
    ],
)
def test_a_first_mail_is_shown_whole(
    helpdesk: Mailbox, name: str, words: list[str]
) -> None:
    raw = (CASES / f"{name}.eml").read_bytes()

    entry = opened_by(helpdesk, "jane@marlowfinch.example", raw)

    assert [word for word in words if word not in entry.text] == []
    assert not entry.folded_texts.filter(kind=FoldKind.QUOTATION).exists()


@pytest.mark.parametrize(
    "text",
    [
        "See below.\n\nOn 27 Nov 2026, x@y.example wrote:\n> Pay now",
        "My log:\n> 550 denied\n> 421 later",
        "Is this ours?\n\n-----Original Message-----\nFrom: a\nSent: b\nTo: c\n\nText",
    ],
)
def test_nothing_is_cut_from_a_first_mail(
    helpdesk: Mailbox, bob: Person, text: str
) -> None:
    deliver_mail(helpdesk, bob.address, text=text)

    collect.collect()

    assert request_of(Ticket.objects.get()).text == text


def test_the_quotation_in_a_reply_to_us_is_folded(
    helpdesk: Mailbox, answered: Ticket
) -> None:
    text = "It works.\n\nOn 1 May, Hugh wrote:\n> Try the other address.\n"

    folded = replied(helpdesk, answered, text)

    assert request_of(answered).text == "It works."
    assert folded is not None and folded.kind == FoldKind.QUOTATION
    assert folded.text == "On 1 May, Hugh wrote:\n> Try the other address."


def test_a_reply_is_known_by_our_message_id(
    helpdesk: Mailbox, answered: Ticket
) -> None:
    ours = answered.entries.get(kind=EntryKind.REPLY).message_id
    text = OUTLOOK.format(address=helpdesk.address, number=answered.number)

    folded = replied(
        helpdesk, answered, text, to=helpdesk_address(helpdesk), in_reply_to=ours
    )

    assert request_of(answered).text == "It works now, thank you."
    assert folded is not None and folded.text.endswith("Try the other address.")
    assert "Sent: 30 November" in folded.text


@pytest.mark.parametrize(
    "markup",
    [
        (
            "<div>It works.</div><br><div class=gmail_quote><div>On Mon, 30 Nov 2026 at "
            "09:12, Us &lt;<a href='mailto:{address}'>{address}</a>&gt; wrote:<br></div>"
            "<blockquote>Which address<br>was it?</blockquote></div>"
        ),
        (
            "<div>It works.</div><hr><div><b>From:</b> Us &lt;{address}&gt;<br><b>Sent:</b> "
            "30 November<br><b>To:</b> Bob<br><b>Subject:</b> Mail</div><div>Which?</div>"
        ),
        (
            "<p>It works.</p><div style='border-top:solid'><p><b>From:</b> Us "
            "&lt;{address}&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Bob</p></div><p>Which?"
        ),
    ],
    ids=["gmail", "outlook on the web", "outlook"],
)
def test_the_quotation_in_a_reply_of_html_is_folded(
    helpdesk: Mailbox, answered: Ticket, markup: str
) -> None:
    address = ticket_links.reply_address(answered)
    raw = (
        f"From: {answered.requester_address}\r\nTo: {address}\r\nSubject: Re\r\n"
        f"Content-Type: text/html\r\n\r\n{markup.format(address=address)}\r\n"
    )
    deliver_mail(helpdesk, answered.requester_address, raw=raw.encode())

    collect.collect()

    entry = request_of(answered)
    assert entry.text == "It works."
    assert "Which" in entry.folded_texts.get(kind=FoldKind.QUOTATION).text


def helpdesk_address(helpdesk: Mailbox) -> ticket_links.Address:
    return ticket_links.Address.parse(helpdesk.address)


def test_a_number_in_the_subject_makes_no_reply(
    helpdesk: Mailbox, answered: Ticket
) -> None:
    text = OUTLOOK.format(address=helpdesk.address, number=answered.number)

    folded = replied(
        helpdesk,
        answered,
        text,
        to=helpdesk_address(helpdesk),
        subject=f"Re: [{answered.number}]",
    )

    assert folded is None
    assert "Try the other address." in request_of(answered).text


@pytest.mark.parametrize(
    "over",
    [
        {"subject": "Fwd: odd letter"},
        {"subject": "WG: odd letter"},
        {"extra_headers": {"X-Forwarded-Message-Id": "<x@y.example>"}},
    ],
)
def test_nothing_is_cut_from_a_forward_into_a_ticket(
    helpdesk: Mailbox, answered: Ticket, over: dict[str, object]
) -> None:
    text = "This one.\n\nOn 27 Nov 2026, Someone wrote:\n> Pay now"

    folded = replied(helpdesk, answered, text, **over)

    assert folded is None
    assert request_of(answered).text == text


@pytest.mark.parametrize(
    "text",
    [
        "I got this:\n\n-----Original Message-----\nFrom: x@y.example\nSent: a\nTo: b",
        "I got this:\n\nOn 27 Nov 2026, Shop <x@y.example> wrote:\n> Pay now",
        "My log says:\n\n> 550 5.7.1 relay denied",
        "First\n________________________________\nSecond",
        "On Monday, Hugh wrote:\n> Try the other address.\n\nI did. It helped.",
    ],
)
def test_what_is_not_a_quotation_of_ours_is_shown_in_a_reply(
    helpdesk: Mailbox, answered: Ticket, text: str
) -> None:
    folded = replied(helpdesk, answered, text)

    assert folded is None
    assert request_of(answered).text == text


def test_what_was_cut_is_one_click_away_for_agents_and_requester(
    helpdesk: Mailbox,
    answered: Ticket,
    signed_in: SignIn,
    bob: Person,
    hugh: Person,
) -> None:
    text = "It works.\n\nOn 1 May, Hugh wrote:\n> QUOTED words\n"
    replied(helpdesk, answered, text)
    followed = ticket_links.follow_url(answered)

    own = signed_in(bob).get(reverse("helpdesk:ticket", args=[answered.pk]))
    by_link = Client().get(followed.removeprefix(settings.POSTERN.site_url))
    desk = signed_in(hugh, second_factor=True).get(
        reverse("desk:ticket", args=[answered.pk])
    )

    for page in (own, by_link, desk):
        markup = page.content.decode()
        hidden = markup[markup.index("Quoted from earlier messages") :]
        assert "<details" in markup
        assert "QUOTED words" in hidden[: hidden.index("</details>")]


def test_html_with_a_table_becomes_readable_lines(
    helpdesk: Mailbox, bob: Person
) -> None:
    raw = (
        f"From: {bob.address}\r\nTo: {helpdesk.address}\r\nSubject: Table\r\n"
        "Content-Type: text/html; charset=utf-8\r\n\r\n"
        "<p>These failed:</p><table><tr><th>Case</th><th>Hearing</th></tr>"
        "<tr><td>T2026-1</td><td>Monday</td></tr></table><p>Why?</p>"
    ).encode()

    lines = opened_by(helpdesk, bob.address, raw).text.splitlines()

    rows = [re.findall(r"[\w-]*\w", line) for line in lines]
    assert [row for row in rows if row] == [
        ["These", "failed"],
        ["Case", "Hearing"],
        ["T2026-1", "Monday"],
        ["Why"],
    ]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("inline-picture", 1),
        ("inline-picture-cid-encoded", 1),
        ("mixed-html-pdf-html", 1),
        ("invitation", 1),
        ("unnamed-pdf", 2),
        ("attached-message", 1),
    ],
)
def test_pictures_and_files_stay_with_the_ticket(
    helpdesk: Mailbox, name: str, files: int
) -> None:
    raw = (CASES / f"{name}.eml").read_bytes()

    entry = opened_by(helpdesk, "jane@marlowfinch.example", raw)

    names = list(entry.attachments.values_list("name", flat=True))
    assert len(names) == files
    assert all("." in one for one in names)


def test_an_attached_message_is_a_file_and_can_be_read_in_place(
    helpdesk: Mailbox,
) -> None:
    raw = (CASES / "attached-message.eml").read_bytes()

    entry = opened_by(helpdesk, "jane@marlowfinch.example", raw)

    kept = entry.attachments.get()
    assert b"BETATWO inner text" in attachments.read(kept)
    assert kept.name.endswith(".eml")
    folded = entry.folded_texts.get()
    assert (folded.kind, folded.title) == (FoldKind.MESSAGE, "inner")
    assert "From: x@y.z" in folded.text and "BETATWO inner text" in folded.text


def test_words_that_only_the_other_form_has_are_folded(
    helpdesk: Mailbox, bob: Person
) -> None:
    raw = (
        f"From: {bob.address}\r\nTo: {helpdesk.address}\r\nSubject: Two forms\r\n"
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nRead this as HTML.\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>The code is ONLYHERE.</p>\r\n"
        "--b--\r\n"
    ).encode()

    entry = opened_by(helpdesk, bob.address, raw)

    assert entry.text == "Read this as HTML."
    folded = entry.folded_texts.get()
    assert (folded.kind, folded.text) == (
        FoldKind.OTHER_FORM,
        "The code is ONLYHERE.",
    )


def test_every_file_of_a_message_is_kept(helpdesk: Mailbox, bob: Person) -> None:
    many = [Attachment(f"{n}.txt", "text/plain", b"x") for n in range(24)]
    deliver_mail(helpdesk, bob.address, attachments=many)

    collect.collect()

    assert request_of(Ticket.objects.get()).attachments.count() == 24


def test_a_text_that_is_too_long_goes_on_in_a_file(
    helpdesk: Mailbox, bob: Person
) -> None:
    text = "A line of a log\n" * 5_000 + "THE END"
    deliver_mail(helpdesk, bob.address, text=text)

    collect.collect()

    entry = request_of(Ticket.objects.get())
    assert len(entry.text) <= MAX_TEXT_LENGTH
    assert entry.text.endswith("All of it is in the file message.txt.]")
    kept = entry.attachments.get()
    assert kept.name == "message.txt"
    assert attachments.read(kept).decode() == text


def test_a_long_subject_is_kept_in_the_text(helpdesk: Mailbox, bob: Person) -> None:
    subject = "Urgent " * 60 + "THE END"
    deliver_mail(helpdesk, bob.address, subject=subject)

    collect.collect()

    ticket = Ticket.objects.get()
    assert ticket.subject == subject[:200].strip()
    assert request_of(ticket).text.startswith(f"{subject}\n\n")


# Every leaf has a word of its own, by which it is found again.
leaf_kinds = st.sampled_from(
    [
        "Content-Type: text/plain\r\n\r\n%s\r\n",
        "Content-Type: text/plain; name=notes.txt\r\n\r\n%s\r\n",
        "Content-Type: text/html\r\n\r\n<p>Words</p><table><tr><td>%s</table>\r\n",
        "Content-Type: text\r\n\r\n%s\r\n",
        "Content-Type: text/enriched\r\n\r\n%s\r\n",
        "Content-Type: image/png\r\nContent-ID: <a@b>\r\n\r\n%s\r\n",
        "Content-Type: text/html\r\n\r\n<img src='cid:a@b'>%s\r\n",
        "Content-Type: application/pdf; name=a.pdf\r\n\r\n%s\r\n",
        "Content-Type: text/calendar\r\n\r\n%s\r\n",
        "Content-Type: message/delivery-status\r\n\r\nStatus: %s\r\n",
        "Content-Type: message/rfc822\r\n\r\nSubject: In\r\n\r\n%s\r\n",
        "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\n%s\r\n",
    ]
)
trees = st.recursive(
    leaf_kinds,
    lambda inner: st.tuples(
        st.sampled_from(["mixed", "alternative", "related", "signed", "parallel"]),
        st.lists(inner, min_size=1, max_size=4),
    ),
    max_leaves=8,
)


def written(tree: object, words: list[str], depth: int = 0) -> str:
    """Writes a tree as MIME, and adds the word of each leaf to `words`."""
    if isinstance(tree, str):
        words.append(f"WORD{len(words)}X")
        return tree % words[-1]
    kind, inner = tree  # type: ignore[misc]
    boundary = f"b{depth}x{len(words)}"
    parts = "".join(
        f"--{boundary}\r\n{written(one, words, depth + 1)}" for one in inner
    )
    head = f"Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n"
    return f"{head}{parts}--{boundary}--\r\n"


@given(tree=trees)
@examples(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_part_of_a_message_is_shown_or_kept(
    helpdesk: Mailbox, monkeypatch: pytest.MonkeyPatch, bob: Person, tree: object
) -> None:
    monkeypatch.setattr(collect, "MAX_OPENED_PER_SENDER", 1_000)
    words: list[str] = []
    body = written(tree, words)
    head = f"From: {bob.address}\r\nTo: {helpdesk.address}\r\nSubject: All\r\n"

    entry = opened_by(helpdesk, bob.address, f"{head}{body}".encode())

    texts = [entry.text, *(one.text for one in entry.folded_texts.all())]
    kept = b"".join(map(attachments.read, entry.attachments.all())).decode()
    whole = "\n".join([*texts, kept])
    assert [word for word in words if word not in whole] == []
    assert [word for word in words if texts[0].count(word) > 1] == []
