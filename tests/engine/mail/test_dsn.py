from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail import dsn, smtp_replies
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.dsn import Action, DsnRecipient, Notice
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.part_walker import walk

BOB = Address("bob", "other.example")
HEADER = b"From: jane@firm.example\r\nSubject: =?utf-8?q?R=C3=A9?=\r\nMessage-ID: <1@x>\r\n\r\n"


def notice(header: bytes = HEADER, envelope_id: str = "") -> Notice:
    return Notice(
        reporting_host="mx.secure.example",
        reporter=NamedAddress("Mail delivery", Address("postmaster", "secure.example")),
        sender=Address("jane", "firm.example"),
        header=header,
        arrived_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        envelope_id=envelope_id,
    )


def failed(address: Address = BOB) -> DsnRecipient:
    return DsnRecipient.of(
        address, smtp_replies.UNKNOWN_RECIPIENT, Action.FAILED,
        original="rfc822;b+2Bob@other.example", remote_host="mx.other.example",
    )  # fmt: skip


def test_failure_notice() -> None:
    raw = dsn.compose_failure(notice(envelope_id="id+2B1"), [failed()])

    header = HeaderBlock.parse(split(raw)[0])
    assert header.text("To") == "jane@firm.example"
    assert header.text("Auto-Submitted") == "auto-replied"
    assert header.text("Subject") == "Not delivered: Ré"
    assert header.text("In-Reply-To") == header.text("References") == "<1@x>"
    assert 'report-type="delivery-status"' in header.text("Content-Type")
    text, status, returned = walk(*split(raw))
    assert "bob@other.example" in text.text()
    assert "No such address in this community" in text.text()
    assert status.data() == (
        b"Original-Envelope-Id: id+1\r\n"
        b"Reporting-MTA: dns; mx.secure.example\r\n"
        b"Arrival-Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
        b"\r\n"
        b"Original-Recipient: rfc822;b+ob@other.example\r\n"
        b"Final-Recipient: rfc822; bob@other.example\r\n"
        b"Action: failed\r\n"
        b"Status: 5.1.1\r\n"
        b"Remote-MTA: dns; mx.other.example\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 No such address in this community\r\n"
    )
    assert returned.content_type == "text/rfc822-headers"
    assert returned.data() == HEADER


def test_the_words_say_what_to_do() -> None:
    text = next(walk(*split(dsn.compose_failure(notice(), [failed()])))).text()

    assert "What to do: This address does not exist. Check its spelling" in text


def test_the_whole_message_is_returned_to_who_asked_for_it() -> None:
    full = replace(notice(), body=b"Please see the bundle.\r\n")

    [_, _, returned, *_] = walk(*split(dsn.compose_failure(full, [failed()])))

    assert returned.content_type == "message/rfc822"
    assert returned.data() == HEADER + b"Please see the bundle.\r\n"


def test_what_was_passed_on_is_not_called_delivered() -> None:
    relayed = DsnRecipient.of(BOB, smtp_replies.OK, Action.RELAYED)
    delivered = DsnRecipient.of(BOB, smtp_replies.OK, Action.DELIVERED)

    raw = dsn.compose_success(notice(), [relayed])
    both = dsn.compose_success(notice(), [relayed, delivered])

    assert HeaderBlock.parse(split(raw)[0]).text("Subject") == "Passed on: Ré"
    text = next(walk(*split(raw))).text()
    assert "passed on to the server" in text
    assert "has been delivered" not in text
    assert "Delivered" in next(walk(*split(both))).text()


def test_notice_is_what_the_standard_library_expects() -> None:
    report = email.message_from_bytes(dsn.compose_failure(notice(), [failed()]))

    status = report.get_payload()[1].get_payload()
    assert report.get_content_type() == "multipart/report"
    assert status[0]["Reporting-MTA"] == "dns; mx.secure.example"
    assert status[1]["Action"] == "failed"


def test_delay_and_success() -> None:
    until = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
    delayed = DsnRecipient.of(
        BOB, smtp_replies.TRY_LATER, Action.DELAYED, retry_until=until
    )
    delivered = DsnRecipient.of(BOB, smtp_replies.OK, Action.DELIVERED)

    assert dsn.read(dsn.compose_delay(notice(), [delayed])) == [delayed]
    assert dsn.read(dsn.compose_success(notice(), [delivered])) == [delivered]


def test_notice_about_an_international_address() -> None:
    recipient = failed(Address("jänner", "other.example"))

    raw = dsn.compose_failure(notice(), [recipient])

    assert rb"utf-8; j\x{E4}nner@other.example" in raw
    assert [r.address for r in dsn.read(raw)] == ["jänner@other.example"]


def test_reply_without_an_enhanced_code() -> None:
    recipient = DsnRecipient.of(BOB, smtp_replies.Reply(550, "", "No"), Action.FAILED)

    assert recipient.status == "5.0.0"


def test_returned_header_is_cut() -> None:
    header = b"Subject: x\r\n" + b"X-Long: " + b"y" * 100_000 + b"\r\n\r\n"

    *_, returned = walk(*split(dsn.compose_failure(notice(header), [failed()])))

    assert returned.data() == b"Subject: x\r\n\r\n"


@given(st.binary(max_size=200), st.text(max_size=50))
def test_nothing_can_be_injected(header: bytes, hostile: str) -> None:
    recipient = DsnRecipient(
        "bob@other.example", Action.FAILED, "5.1.1", hostile, hostile, hostile
    )

    raw = dsn.compose_failure(notice(header, hostile), [recipient])

    [read] = dsn.read(raw)
    assert (read.address, read.action) == ("bob@other.example", Action.FAILED)
    assert len(list(walk(*split(raw)))) == 3
    assert len(HeaderBlock.parse(split(raw)[0]).all("To")) == 1


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"Reporting-MTA: dns; x",
        b"Reporting-MTA: dns; x\r\n\r\nAction: failed\r\n",
        b"Reporting-MTA: dns; x\r\n\r\nAction: eaten\r\nFinal-Recipient: rfc822; a@b\r\n",
        b"\0\xff\r\n\r\n\r\n: :",
    ],
)
def test_report_that_says_nothing(report: bytes) -> None:
    header = b"Content-Type: message/delivery-status\r\n\r\n"

    assert dsn.read(header + report) == []


def test_message_that_is_no_report() -> None:
    assert dsn.read(b"Subject: x\r\n\r\nFinal-Recipient: rfc822; a@b") == []


def test_report_of_another_server() -> None:
    raw = (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n"
        b"--x\n\nSorry.\n--x\nContent-Type: message/delivery-status\n\n"
        b"Reporting-MTA: dns; mx.x.example\n\n"
        b"Final-Recipient: RFC822; bob@x.example\nAction: Failed\nStatus: 5.2.2 (full)\n"
        b"Diagnostic-Code: smtp; 552 5.2.2\n Mailbox full\n\n"
        b"Final-Recipient: rfc822;eve@x.example\nAction: delayed\nStatus: 4.4.1\n\n--x--\n"
    ).replace(b"\n", b"\r\n")

    assert dsn.read(raw) == [
        DsnRecipient("bob@x.example", Action.FAILED, "5.2.2", "552 5.2.2 Mailbox full"),
        DsnRecipient("eve@x.example", Action.DELAYED, "4.4.1"),
    ]
