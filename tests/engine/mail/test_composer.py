from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose, new_message_id
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.file_names import canonical
from engine.mail.mime.part_walker import walk
from engine.mail.mime.parts import Part

JANE = NamedAddress("Jane Doe", Address("jane", "firm.example"))
BOB = NamedAddress("Smith, Bob", Address("bob", "other.example"))
NOW = datetime(2026, 11, 23, 10, 20, tzinfo=UTC)

# Everything that a form may send, line ends and lone surrogates included
texts = st.text(st.characters(), max_size=80)
hostile = st.one_of(
    texts,
    st.sampled_from(
        [
            "a\r\nBcc: evil@x.example\r\n\r\nbody",
            "\r\n",
            "\0",
            "\ud800",
            "=?utf-8?q?a=0A?=",
        ]
    ),
)


def parse(raw: bytes) -> Message:
    """Parses with the standard library, which shares no code with the composer."""
    return email.message_from_bytes(raw, policy=email.policy.compat32)


def parts(raw: bytes) -> list[Part]:
    return list(walk(*split(raw)))


def test_plain_message() -> None:
    raw = compose(
        sender=JANE,
        to=[BOB],
        subject="Hello",
        text="One\nTwo",
        message_id="<1@x>",
        date=NOW,
    )

    assert raw == (
        b"From: Jane Doe <jane@firm.example>\r\n"
        b'To: "Smith, Bob" <bob@other.example>\r\n'
        b"Subject: Hello\r\n"
        b"Date: Mon, 23 Nov 2026 10:20:00 +0000\r\n"
        b"Message-ID: <1@x>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"One\r\nTwo\r\n"
    )


@given(
    name=hostile, subject=hostile, text=hostile, html=hostile, filename=hostile,
    content_type=hostile, thread=hostile, extra=hostile, data=st.binary(max_size=300),
)  # fmt: skip
def test_nothing_can_be_injected(
    name: str, subject: str, text: str, html: str, filename: str,
    content_type: str, thread: str, extra: str, data: bytes,
) -> None:  # fmt: skip
    raw = compose(
        sender=NamedAddress(name, JANE.address),
        to=[NamedAddress(name, BOB.address)],
        cc=[BOB],
        subject=subject,
        text=text,
        html=html,
        attachments=[Attachment(filename, content_type, data)],
        in_reply_to=thread,
        references=thread,
        extra_headers={"X-Note": extra},
    )

    header = HeaderBlock.parse(split(raw)[0])
    names = [field.name for field in header.fields]
    assert [n for n in names if n not in ("In-Reply-To", "References")] == [
        "From", "To", "Cc", "Subject", "Date", "Message-ID", "X-Note", "MIME-Version",
        "Content-Type",
    ]  # fmt: skip
    assert parse(raw).keys() == names
    assert [part.data() for part in parts(raw)][2] == data
    assert len(parts(raw)) == 3
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    assert b"\0" not in raw


@given(texts, texts)
def test_text_arrives_as_written(text: str, html: str) -> None:
    raw = compose(sender=JANE, to=[BOB], subject="", text=text, html=html)

    for part, sent in zip(parts(raw), (text, html), strict=True):
        expected = sent.replace("\r\n", "\n").replace("\r", "\n")
        expected = expected.encode("utf-8", "replace").decode().rstrip("\n")
        # Not text(), which takes controls for the signs of Windows.
        arrived = part.data().decode()
        assert arrived.replace("\r\n", "\n").rstrip("\n") == expected


def test_long_lines_of_text_survive() -> None:
    text = "x" * 5000 + " \n" + "é" * 5000 + "\n.\nFrom here\n"

    [part] = parts(compose(sender=JANE, to=[BOB], subject="", text=text))

    assert part.text().replace("\r\n", "\n") == text


@given(st.binary(max_size=2000))
def test_attachment_arrives_octet_for_octet(data: bytes) -> None:
    raw = compose(
        sender=JANE, to=[BOB], subject="", text="",
        attachments=[Attachment("a.bin", "application/x-thing", data)],
    )  # fmt: skip

    attached = parse(raw).get_payload()[1]
    assert attached.get_payload(decode=True) == parts(raw)[1].data() == data
    assert attached.get_content_type() == "application/x-thing"


@pytest.mark.parametrize(
    "name",
    [
        "plain.pdf",
        "two  spaces.pdf",
        'quo"te.pdf',
        "a;b=c.pdf",
        "100%.pdf",
        "it's.pdf",
        "résumé.pdf",
        "日本.pdf",
        "=?utf-8?q?a?=.pdf",
        "x" * 250 + ".pdf",
        "é" * 240 + ".pdf",
    ],
)
def test_name_of_attachment_survives(name: str) -> None:
    raw = compose(
        sender=JANE, to=[BOB], subject="", text="",
        attachments=[Attachment(name, "application/pdf", b"x")],
    )  # fmt: skip

    modern = email.message_from_bytes(raw, policy=email.policy.default)
    assert name in parts(raw)[1].names
    assert parts(raw)[1].filename == canonical(name)
    assert [attached.get_filename() for attached in modern.iter_attachments()] == [name]


def test_attached_message_arrives_octet_for_octet() -> None:
    inner = compose(sender=BOB, to=[JANE], subject="Inner", text="x")
    raw = compose(
        sender=JANE, to=[BOB], subject="", text="",
        attachments=[
            Attachment("plain.eml", "message/rfc822", inner),
            Attachment("odd.eml", "message/rfc822", b"Subject: \xff\n\n\0"),
        ],
    )  # fmt: skip

    plain, odd = (part for part in parts(raw) if part.filename)
    assert (plain.content_type, plain.data()) == ("message/rfc822", inner)
    assert odd.content_type == "application/octet-stream"
    assert odd.data() == b"Subject: \xff\n\n\0"


def test_thread_of_a_long_conversation() -> None:
    references = " ".join(f"<{number}@x>" for number in range(100))

    raw = compose(
        sender=JANE,
        to=[BOB],
        subject="",
        text="",
        in_reply_to="<99@x>",
        references=references,
    )

    header = HeaderBlock.parse(split(raw)[0])
    kept = header.text("References").split()
    assert header.text("In-Reply-To") == "<99@x>"
    assert (kept[0], kept[1], kept[-1], len(kept)) == ("<0@x>", "<71@x>", "<99@x>", 30)


def test_compose_refuses_what_cannot_be_right() -> None:
    for wrong in (
        {"message_id": "<a@b>\r\nBcc: x"},
        {"message_id": "no brackets"},
        {"extra_headers": {"Bcc": "x"}},
        {"extra_headers": {"A\r\nBcc": "x"}},
        {"extra_headers": {"FROM": "x"}},
    ):
        with pytest.raises(ValueError, match=r"Message-ID|extra|name"):
            compose(sender=JANE, to=[BOB], subject="", text="", **wrong)


def test_message_id_is_new_every_time() -> None:
    assert new_message_id("x.example") != new_message_id("x.example")
    assert new_message_id("x.example").endswith("@x.example>")
