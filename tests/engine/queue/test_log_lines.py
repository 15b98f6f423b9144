"""The log lines about each step of a message."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.observability import metrics
from engine.queue.enqueue.local_submission import submit
from engine.queue.models import Source
from tests.engine.queue.conftest import JANE, RAW

pytestmark = pytest.mark.django_db

Lines = Callable[[], list[dict]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    caplog.set_level(logging.INFO, "postern.mail")
    return lambda: [
        record.msg for record in caplog.records if record.name == "postern.mail"
    ]


def counted(counter: object, label: str) -> float:
    return counter.labels(label)._value.get()


def test_a_message_for_here_is_accepted_and_delivered_in_two_lines(
    queue, alice, bob, lines: Lines, django_capture_on_commit_callbacks
) -> None:
    before = counted(metrics.ACCEPTED, "webmail")
    with django_capture_on_commit_callbacks(execute=True):
        reference = queue.send(bob.address, alice.address)

    first, second = lines()
    assert first["event"] == "accepted"
    assert first["reference"] == reference
    assert first["source"] == "webmail"
    assert first["sender"] == bob.address
    assert first["recipient"] == alice.address
    assert first["size"] == len(RAW)
    assert second["event"] == "delivered"
    assert second["destination"] == "mailbox"
    assert counted(metrics.ACCEPTED, "webmail") == before + 1


def test_what_is_rolled_back_leaves_no_line(queue, alice, bob, lines: Lines) -> None:
    queue.send(bob.address, alice.address)  # the test's transaction never commits

    assert lines() == []


def test_a_next_hop_leaves_lines_with_its_reply_and_name(
    queue, hop, firm_connection, bob, lines: Lines, django_capture_on_commit_callbacks
) -> None:
    hop.rcpt_replies[JANE.removesuffix(".secure.example")] = ["451 4.7.0 Later"]
    queue.send(bob.address, JANE)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            queue.run()
        queue.make_all_due()

    deferred, delivered = lines()
    assert deferred["event"] == "deferred"
    assert deferred["reply"] == "451 4.7.0 Later"
    assert deferred["next_attempt_at"]
    assert delivered["event"] == "delivered"
    assert delivered["next_hop"] == f"127.0.0.1:{hop.port}"
    assert delivered["destination"] == f"connection:{firm_connection.pk}"
    assert delivered["attempt"] == 2
    assert delivered["seconds"] >= 0


def test_a_refusal_of_the_next_hop_is_a_returned_message(
    queue, hop, firm_connection, bob, lines: Lines, django_capture_on_commit_callbacks
) -> None:
    hop.rcpt_replies[JANE.removesuffix(".secure.example")] = ["550 5.1.1 Gone"]
    queue.send(bob.address, JANE)
    before = counted(metrics.BOUNCED, "connection")

    with django_capture_on_commit_callbacks(execute=True):
        queue.run()

    returned = [line for line in lines() if line["event"] == "returned"]
    assert [line["reply"] for line in returned] == ["550 5.1.1 Gone"]
    assert counted(metrics.BOUNCED, "connection") == before + 1


def test_what_webmail_may_not_send_leaves_a_line(bob, lines: Lines) -> None:
    with pytest.raises(MailError):
        submit(
            b"From: " + bob.address.encode() + b"\r\n\r\nHello\r\n",
            envelope=Envelope.simple(
                Address.parse(bob.address), Address.parse("x@elsewhere.example")
            ),
            source=Source.WEBMAIL,
            by=bob,
        )

    [line] = lines()
    assert line["event"] == "refused"
    assert line["recipient"] == "x@elsewhere.example"
    assert line["source"] == "webmail"


def test_no_line_holds_anything_of_the_message(
    queue, alice, bob, lines: Lines, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queue.send(bob.address, alice.address)

    assert "Bundle" not in str(lines())
    assert "Hello" not in str(lines())
