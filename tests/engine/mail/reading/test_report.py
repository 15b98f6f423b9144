"""Delivery reports and receipts: who, what, why and what to do, in words."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail import advice, dsn
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.dsn_fields import Action, DsnRecipient
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from engine.mail.reading import report
from engine.mail.reading.report import DeliveryReport, Receipt

POSTFIX = """\
Reporting-MTA: dns; mail.firm.example
X-Postfix-Queue-ID: 4C1D22A7
X-Postfix-Sender: rfc822; alice@northgate.example
Arrival-Date: Mon, 30 Nov 2026 09:00:00 +0000 (UTC)

Final-Recipient: rfc822; jane@firm.example
Original-Recipient: rfc822;info@firm.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.firm.example
Diagnostic-Code: smtp; 550 5.1.1 <jane@firm.example>: Recipient address rejected:
    User unknown
Last-Attempt-Date: Mon, 30 Nov 2026 09:00:05 +0000
"""
RECEIPT = """\
Reporting-UA: mail.firm.example; Thunderbird 140
Final-Recipient: rfc822;jane@firm.example
Original-Message-ID: <1@northgate.example>
Disposition: manual-action/MDN-sent-manually; displayed
"""


def delivery(
    text: str, content_type: str = "message/delivery-status"
) -> DeliveryReport:
    found = report.read(text.replace("\n", "\r\n").encode(), content_type)
    assert isinstance(found, DeliveryReport)
    return found


def receipt(
    text: str, content_type: str = "message/disposition-notification"
) -> Receipt:
    found = report.read(text.encode(), content_type)
    assert isinstance(found, Receipt)
    return found


def test_a_bounce_says_what_failed_for_whom_why_and_what_to_do() -> None:
    found = delivery(POSTFIX)

    assert found.headline == "A message could not be delivered"
    assert found.reporter == "mail.firm.example"
    assert found.arrived_at == datetime(2026, 11, 30, 9, tzinfo=UTC)
    (jane,) = found.recipients
    assert (jane.address, jane.final_address) == (
        "info@firm.example",
        "jane@firm.example",
    )
    assert jane.outcome == "Could not be delivered, and will not be tried again"
    assert jane.advice == advice.ADVICE["x.1.1"]
    assert jane.diagnostic.endswith("Recipient address rejected: User unknown")
    assert jane.remote_host == "mx.firm.example"
    assert jane.at == datetime(2026, 11, 30, 9, 0, 5, tzinfo=UTC)
    assert jane.is_problem


@pytest.mark.parametrize(
    ("action", "headline", "outcome", "hint"),
    [
        ("delayed", "is delayed", "still trying", "do not need to do anything"),
        ("delivered", "was delivered", "Delivered", ""),
        ("relayed", "was passed on", "whether it arrived is not known", ""),
        ("expanded", "members of a list", "sent on to its members", ""),
        (
            "FAILED (bounced)",
            "could not be",
            "will not be tried again",
            "reply says why",
        ),
        ("vanished", "reports about a message", "does not say what happened", ""),
    ],
)
def test_each_action_has_its_words(
    action: str, headline: str, outcome: str, hint: str
) -> None:
    found = delivery(
        f"Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; j@b.example\n"
        f"Action: {action}\nStatus: 4.0.0\n"
    )

    assert headline in found.headline
    assert outcome in found.recipients[0].outcome
    assert hint in found.recipients[0].advice
    assert bool(hint) is bool(found.recipients[0].advice)


def test_the_headline_is_the_worst_that_happened() -> None:
    one = "\nFinal-Recipient: rfc822; j@b.example\nAction: {}\n"
    text = "Reporting-MTA: dns; a.example\n" + "".join(
        one.format(action) for action in ("delivered", "delayed", "failed", "expanded")
    )

    found = delivery(text)

    assert found.headline == "A message could not be delivered"
    assert len(found.recipients) == 4


def test_a_status_that_says_nothing_gives_way_to_the_reply() -> None:
    found = delivery(
        "Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; j@b.example\n"
        "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 552 5.2.2 Full\n"
    )

    assert found.recipients[0].advice == advice.ADVICE["x.2.2"]


def test_a_report_without_its_empty_line_is_read() -> None:
    found = delivery(
        "Reporting-MTA: dns; a.example\nFinal-Recipient: rfc822; j@b.example\n"
        "Action: failed\nDiagnostic-Code: smtp; 550 5.1.2 No such domain\n"
    )

    assert found.reporter == "a.example"
    assert found.recipients[0].status == "5.1.2"


def test_an_address_in_another_script_is_read() -> None:
    found = delivery(
        "Reporting-MTA: dns; a.example\n\n"
        "Final-Recipient: utf-8; j\\x{F6}rg@b.example\nAction: failed\n",
        "message/global-delivery-status",
    )

    assert found.recipients[0].address == "jörg@b.example"


def test_our_own_report_is_read_as_it_was_written() -> None:
    notice = dsn.Notice(
        "mail.northgate.example",
        NamedAddress("Postmaster", Address.parse("postmaster@northgate.example")),
        Address.parse("alice@northgate.example"),
        b"Subject: Agenda\r\nMessage-ID: <1@northgate.example>\r\n",
    )
    until = datetime(2026, 12, 2, 9, tzinfo=UTC)
    raw = dsn.compose_delay(
        notice,
        [
            DsnRecipient(
                "j@b.example",
                Action.DELAYED,
                "4.4.1",
                "451 4.4.1 Down",
                remote_host="mx.b.example",
                retry_until=until,
            )
        ],
    )
    (part,) = (p for p in walk(*split(raw)) if p.content_type.startswith("message/d"))

    found = report.read(part.data(), part.content_type)

    assert isinstance(found, DeliveryReport)
    (one,) = found.recipients
    assert (one.action, one.status, one.retry_until) == (Action.DELAYED, "4.4.1", until)
    assert one.advice == advice.ADVICE["x.4.1"]


@pytest.mark.parametrize(
    ("disposition", "outcome", "how"),
    [
        (
            "manual-action/MDN-sent-manually; displayed",
            "Displayed",
            "This happened by a person. The receipt was sent with their consent.",
        ),
        (
            "automatic-action/MDN-sent-automatically; deleted",
            "Deleted without being displayed",
            "This happened by a rule or a program. The receipt was sent without asking.",
        ),
        (
            "manual-action/MDN-sent-automatically;displayed/error",
            "Displayed",
            "This happened by a person. The receipt was sent without asking.",
        ),
        (
            "automatic-action/MDN-sent-automatically; dispatched",
            "Printed, filed or sent on without being displayed",
            "This happened by a rule or a program. The receipt was sent without asking.",
        ),
    ],
)
def test_a_receipt_says_what_happened_and_who_sent_it(
    disposition: str, outcome: str, how: str
) -> None:
    found = receipt(
        RECEIPT.replace("manual-action/MDN-sent-manually; displayed", disposition)
    )

    assert (found.outcome, found.how) == (outcome, how)
    assert found.recipient == "jane@firm.example"
    assert found.message_id == "<1@northgate.example>"
    assert found.program == "mail.firm.example; Thunderbird 140"


def test_without_a_type_the_fields_tell_what_it_is() -> None:
    assert isinstance(report.read(RECEIPT.encode()), Receipt)
    assert isinstance(report.read(POSTFIX.encode()), DeliveryReport)


@pytest.mark.parametrize(
    "text", ["", "Dear Jane,\n\nsee below.", "Reporting-MTA: dns; a.example\n"]
)
def test_what_says_nothing_is_none(text: str) -> None:
    assert report.read(text.encode(), "message/delivery-status") is None
    assert report.read(text.encode(), "message/disposition-notification") is None
    assert report.read(text.encode()) is None


def test_many_recipients_are_counted() -> None:
    one = "\nFinal-Recipient: rfc822; j@b.example\nAction: failed\n"

    found = delivery(
        "Reporting-MTA: dns; a.example\n" + one * (report.MAX_RECIPIENTS + 4)
    )

    assert len(found.recipients) == report.MAX_RECIPIENTS
    assert found.more_recipients == 4


FIELDS = st.sampled_from(
    [
        b"Final-Recipient: rfc822; j@b.example",
        b"Original-Recipient: ;;;",
        b"Final-Recipient:",
        b"Action: failed",
        b"Action:",
        b"Status: 5.1.1 (unknown)",
        b"Status: five",
        b"Diagnostic-Code: smtp; \xff\xfe =?utf-8?q?=ff?=",
        b"Last-Attempt-Date: 31 Feb 2026 99:99",
        b"Disposition: ;",
        b"Disposition: manual-action/MDN-sent-manually; displayed/error, warning",
        b" folded",
        b"",
        b" ",
        b"no field",
    ]
)


@given(
    st.lists(st.one_of(FIELDS, st.binary(max_size=20)), max_size=20),
    st.sampled_from(
        ["message/delivery-status", "message/disposition-notification", ""]
    ),
)
def test_no_octets_raise(lines: list[bytes], content_type: str) -> None:
    found = report.read(b"\r\n".join(lines), content_type)

    if isinstance(found, DeliveryReport):
        assert found.headline
        assert all(one.outcome for one in found.recipients)
    elif found:
        assert found.outcome
        assert found.how


@pytest.mark.parametrize(
    "unit",
    [
        b"\r\n",
        b"\r\n ",
        b"Final-Recipient: rfc822; x\r\n\r\n",
        b"A: b\r\n\r\n",
        b"Diagnostic-Code: " + b"5.1." * 100 + b"\r\n",
        b"Disposition: x;" + b";/" * 100 + b"\r\n",
    ],
)
def test_hostile_reports_take_little_time(unit: bytes) -> None:
    data = unit * (5_000_000 // len(unit))
    started = time.process_time()
    report.read(data)

    assert time.process_time() - started < 4
