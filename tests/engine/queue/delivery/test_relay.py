from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from datetime import datetime, timedelta

import pytest
from aiosmtpd.smtp import SMTP
from django.utils import timezone

from engine.mail import dsn
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from engine.queue import operator_actions
from engine.queue.automatic_mail import list_bounces
from engine.queue.delivery import (
    concurrency,
    dispatcher,
    maintenance,
    outcome_recording,
)
from engine.queue.delivery.runner import Runner
from engine.queue.models import (
    PendingNotice,
    QueuedMessage,
    Recipient,
    RecipientStatus,
)
from engine.queue.notifications import sender_dsn
from engine.trace.models import Event, EventKind
from engine.transport import smtp_client
from engine.transport.session_pool import Pool
from portal.demo.certificates import Authority
from tests import factories
from tests.engine.queue.conftest import JANE, OneConnection
from tests.next_hop import HANG_UP

pytestmark = pytest.mark.django_db

JOHN = "john@firm.example.secure.example"


def untrusted_context(folder):
    """Returns a TLS context with a certificate that no one here trusts."""
    certificate = Authority(folder / "strange").issue("mail.firm.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    return context


def test_message_reaches_the_next_hop_without_the_suffix(
    queue, hop, firm_connection, bob
):
    reference = queue.send(bob.address, JANE)

    queue.run()

    [received] = hop.received
    assert received.recipients == ["jane@firm.example"]
    assert received.sender == bob.address
    assert received.data.endswith(b"\r\n\r\nHello\r\n")
    assert queue.status(reference) is RecipientStatus.RELAYED


def test_message_keeps_the_suffix_where_the_connection_says_so(
    queue, hop, firm_connection, bob
):
    firm_connection.strips_suffix = False
    firm_connection.save()
    queue.send(bob.address, JANE)

    queue.run()

    assert hop.received[0].recipients == [JANE]


def test_message_to_two_people_of_one_server_is_sent_once(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, JANE, JOHN)

    queue.run()

    [received] = hop.received
    assert sorted(received.recipients) == ["jane@firm.example", "john@firm.example"]


def test_subject_gets_the_tag_of_the_connection_once(queue, hop, firm_connection, bob):
    firm_connection.subject_tag = "[SECURE]"
    firm_connection.save()
    tagged = b"From: a@b.example\r\nSubject: Re: [SECURE] Bundle\r\n\r\nHello\r\n"
    queue.send(bob.address, JANE)
    queue.send(bob.address, JANE, raw=tagged)

    queue.run()

    again, first = sorted(received.data for received in hop.received)
    assert b"\r\nSubject: [SECURE] Bundle\r\n" in first
    assert b"\r\nSubject: Re: [SECURE] Bundle\r\n" in again


def test_trace_tells_how_the_message_was_handed_on(queue, hop, firm_connection, bob):
    reference = queue.send(bob.address, JANE)

    queue.run()

    event = Event.objects.get(reference=reference, kind=EventKind.RELAYED)
    assert event.recipient == JANE
    assert event.detail["reply"] == "250 2.0.0 Taken"
    assert event.detail["tls_version"] == "TLSv1.3"
    assert event.detail["certificate_verified_for"] == "mail.firm.example"
    assert event.detail["next_hop"] == f"127.0.0.1:{hop.port}"


def test_next_hop_sees_our_certificate(
    queue, hop, firm_connection, bob, authority, settings, monkeypatch
):
    ours = authority.issue("mx.secure.example")
    monkeypatch.setattr(settings.POSTERN, "tls_cert_file", str(ours.cert_file))
    monkeypatch.setattr(settings.POSTERN, "tls_key_file", str(ours.key_file))
    queue.send(bob.address, JANE)

    queue.run()

    assert hop.received[0].client_names == ["mx.secure.example"]


def test_next_hop_sees_the_old_certificate_until_the_renewed_one_matches_its_key(
    queue, hop, firm_connection, bob, authority, settings, monkeypatch, tmp_path
):
    halves = {
        name: (
            authority.issue(name).cert_file.read_bytes(),
            authority.issue(name).key_file.read_bytes(),
        )
        for name in ("mx.secure.example", "mx2.secure.example")
    }
    cert_file, key_file = tmp_path / "ours.pem", tmp_path / "ours.key"
    monkeypatch.setattr(settings.POSTERN, "tls_cert_file", str(cert_file))
    monkeypatch.setattr(settings.POSTERN, "tls_key_file", str(key_file))
    # Files that were written a moment ago are skipped.
    os.utime(authority.ca_file, (0, 0))
    steps = [
        (0, "mx.secure.example", "mx.secure.example"),
        (60, "mx.secure.example", "mx2.secure.example"),
        (120, "mx2.secure.example", "mx2.secure.example"),
    ]

    for written_at, cert, key in steps:
        cert_file.write_bytes(halves[cert][0])
        key_file.write_bytes(halves[key][1])
        for file in (cert_file, key_file):
            os.utime(file, (written_at, written_at))
        # So that no session is reused.
        hop.stop()
        hop.start()
        queue.send(bob.address, JANE)
        queue.run()

    assert [one.client_names for one in hop.received] == [
        ["mx.secure.example"],
        ["mx.secure.example"],
        ["mx2.secure.example"],
    ]


def test_several_messages_share_sessions(queue, hop, firm_connection, bob):
    for _ in range(20):
        queue.send(bob.address, JANE)

    queue.run(until_nothing_is_due=True)

    assert len(hop.received) == 20
    assert hop.sessions <= 5


def test_message_waits_while_the_server_is_down_and_arrives_once_it_is_up(
    queue, hop, firm_connection, bob
):
    hop.stop()
    reference = queue.send(bob.address, JANE)
    queue.run()
    waiting = queue.recipient(reference)
    hop.start()

    queue.make_all_due()
    queue.run()

    assert waiting.status == RecipientStatus.QUEUED
    # The sender reads this: what went wrong, without the server's address.
    assert waiting.last_reply == (
        "451 4.4.1 The next hop does not answer: Connection refused"
    )
    assert waiting.leased_by == ""
    assert len(hop.received) == 1
    assert queue.status(reference) is RecipientStatus.RELAYED


def test_server_known_to_be_down_is_not_dialled_for_each_message(
    queue, hop, firm_connection, bob
):
    hop.stop()
    queue.pool = lambda: Pool(down_seconds=60)
    for _ in range(8):
        queue.send(bob.address, JANE)

    queue.run(until_nothing_is_due=True)

    untried = Recipient.objects.filter(attempts=0, leased_until=None)
    assert untried.count() == 8 - concurrency.FIRST
    assert hop.received == []


def test_message_put_off_by_the_server_is_tried_again(queue, hop, firm_connection, bob):
    hop.rcpt_replies["jane@firm.example"] = ["450 4.2.0 Greylisted"]
    reference = queue.send(bob.address, JANE)
    queue.run()
    first = queue.recipient(reference)

    queue.make_all_due()
    queue.run()

    assert first.last_reply == "450 4.2.0 Greylisted"
    assert first.attempts == 1
    assert queue.recipient(reference).attempts == 2
    assert queue.status(reference) is RecipientStatus.RELAYED
    assert Event.objects.filter(reference=reference, kind=EventKind.DEFERRED).exists()


def deferrals(reference):
    events = Event.objects.filter(reference=reference, kind=EventKind.DEFERRED)
    return list(events.order_by("pk"))


def test_deferral_that_repeats_itself_is_written_down_once(
    queue, hop, firm_connection, bob
):
    hop.rcpt_replies["jane@firm.example"] = [
        f"450 4.2.0 Not now, said attempt {number}" for number in range(6)
    ]
    reference = queue.send(bob.address, JANE)

    for _ in range(5):
        queue.run()
        queue.make_all_due()

    [event] = deferrals(reference)
    assert event.detail["times"] == event.detail["attempt"] == 5
    assert event.detail["reply"] == "450 4.2.0 Not now, said attempt 4"
    assert datetime.fromisoformat(event.detail["last_at"]) >= event.at.replace(
        microsecond=0
    )


def test_another_deferral_is_another_event(queue, hop, firm_connection, bob):
    hop.rcpt_replies["jane@firm.example"] = [
        "450 4.2.0 A",
        "451 4.3.0 B",
        "451 4.3.0 C",
    ]
    reference = queue.send(bob.address, JANE)

    for _ in range(3):
        queue.run()
        queue.make_all_due()

    assert [one.detail["reply"] for one in deferrals(reference)] == [
        "450 4.2.0 A",
        "451 4.3.0 C",
    ]


def test_deferral_after_a_hold_is_another_event(queue, hop, firm_connection, bob):
    hop.rcpt_replies["jane@firm.example"] = ["450 4.2.0 A"] * 3
    reference = queue.send(bob.address, JANE)
    queue.run()
    ids = [queue.recipient(reference).pk]
    operator_actions.hold(ids, reason="Looking into it", by=None)
    operator_actions.release(ids, by=None)

    queue.run()

    assert len(deferrals(reference)) == 2


def test_deferral_whose_event_is_gone_is_written_down_again(
    queue, hop, firm_connection, bob
):
    hop.rcpt_replies["jane@firm.example"] = ["450 4.2.0 A"] * 3
    reference = queue.send(bob.address, JANE)
    queue.run()
    Event.objects.all().delete()
    queue.make_all_due()

    queue.run()

    [event] = deferrals(reference)
    assert queue.recipient(reference).deferral_id == event.pk


def test_refusal_is_reported_to_the_sender(queue, hop, firm_connection, bob, read):
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"]
    reference = queue.send(bob.address, JANE)

    queue.run()

    [notice] = queue.inbox(bob)
    [about] = dsn.read(read(notice))
    assert queue.status(reference) is RecipientStatus.FAILED
    assert about.address == JANE
    assert about.action == "failed"
    assert about.status == "5.1.1"
    assert "No such person" in about.diagnostic
    assert notice.envelope_sender == ""


def test_refusal_of_one_recipient_leaves_the_other(
    queue, hop, firm_connection, bob, read
):
    hop.rcpt_replies["john@firm.example"] = ["550 5.1.1 No such person"]
    reference = queue.send(bob.address, JANE, JOHN)

    queue.run()

    rows = Recipient.objects.filter(message__reference=reference)
    statuses = dict(rows.values_list("address", "status"))
    assert statuses == {JANE: "relayed", JOHN: "failed"}
    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert about.address == JOHN


@pytest.mark.parametrize("code", [200, 235, 252, 299])
def test_any_success_after_the_final_dot_is_delivery(
    queue, hop, firm_connection, bob, code
):
    hop.data_replies = [f"{code} Taken"]
    reference = queue.send(bob.address, JANE)

    queue.run()
    queue.make_all_due()
    queue.run()

    assert queue.status(reference) is RecipientStatus.RELAYED
    assert len(hop.received) == 1
    assert queue.inbox(bob) == []


@pytest.mark.parametrize("code", [200, 250, 251, 252, 259])
def test_any_success_for_a_recipient_is_acceptance(
    queue, hop, firm_connection, bob, code
):
    hop.rcpt_replies["jane@firm.example"] = [f"{code} I shall see"]
    hop.rcpt_replies["john@firm.example"] = ["450 4.2.0 Not now"]
    reference = queue.send(bob.address, JANE, JOHN)

    queue.run()

    [received] = hop.received
    assert received.recipients == ["jane@firm.example"]
    rows = Recipient.objects.filter(message__reference=reference)
    statuses = dict(rows.values_list("address", "status"))
    assert statuses == {JANE: "relayed", JOHN: "queued"}


class Hasty(SMTP):
    """A server that takes the DATA command for the whole message."""

    async def smtp_DATA(self, arg: str) -> None:
        await self.push("250 Taken")


def test_success_before_the_message_was_sent_is_none(queue, make_hop, firm, bob):
    hop = make_hop("mail.firm.example", protocol=Hasty)
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    reference = queue.send(bob.address, JANE)

    queue.run()

    assert queue.status(reference) is RecipientStatus.QUEUED
    assert "for the whole message" in queue.recipient(reference).last_reply


class Fault(Exception):
    """An unexpected exception."""


def raise_fault(*args: object, **kwargs: object) -> None:
    raise Fault


@pytest.mark.parametrize(
    "broken", [sender_dsn.send_outcomes, list_bounces.note_outcomes]
)
def test_fault_in_telling_of_it_sends_nothing_again(
    queue, hop, firm_connection, bob, read, monkeypatch, broken
):
    hop.rcpt_replies["john@firm.example"] = ["550 5.1.1 No such person"]
    reference = queue.send(bob.address, JANE, JOHN, notify="SUCCESS,FAILURE")
    with monkeypatch.context() as patched:
        patched.setattr(sys.modules[broken.__module__], broken.__name__, raise_fault)
        for _ in range(2):
            queue.run()
            queue.make_all_due()

    rows = Recipient.objects.filter(message__reference=reference)
    statuses = dict(rows.values_list("address", "status"))
    assert statuses == {JANE: "relayed", JOHN: "failed"}
    assert len(hop.received) == 1
    assert queue.inbox(bob) == []

    PendingNotice.objects.update(due_at=timezone.now())
    maintenance.run_due()

    about = [dsn.read(read(message))[0] for message in queue.inbox(bob)]
    assert {(one.address, one.action) for one in about} == {
        (JANE, "relayed"),
        (JOHN, "failed"),
    }
    assert not PendingNotice.objects.exists()


def test_notice_that_cannot_be_written_stops_no_other(
    queue, hop, firm_connection, alice, bob, monkeypatch
):
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"] * 2
    for sender in (alice, bob):
        queue.send(sender.address, JANE)
    compose = sender_dsn.dsn.compose_failure

    def only_for_bob(notice: dsn.Notice, *rest: object) -> bytes:
        if str(notice.sender) == alice.address:
            raise Fault
        return compose(notice, *rest)

    monkeypatch.setattr(sender_dsn.dsn, "compose_failure", only_for_bob)
    queue.run()

    assert len(queue.inbox(bob)) == 1
    pending = PendingNotice.objects.get()
    assert pending.attempts == 1
    assert pending.due_at > timezone.now()


def test_what_cannot_be_traced_is_still_written_down_as_handed_on(
    queue, hop, firm_connection, bob, monkeypatch
):
    reference = queue.send(bob.address, JANE)
    monkeypatch.setattr(dispatcher, "RECORD_PAUSES", (0.0,))
    monkeypatch.setattr(outcome_recording, "_event", raise_fault)

    queue.run()

    assert queue.status(reference) is RecipientStatus.RELAYED
    assert len(hop.received) == 1


GREETING = "Grüße".encode()
EIGHT_BIT = (
    b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n" + GREETING + b"\r\n"
)
SIGNED = (
    b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/signed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + GREETING + b"\r\n"
    b"--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
)


@pytest.fixture
def old_hop(make_hop, firm):
    """A server without 8BITMIME."""
    hop = make_hop("mail.firm.example", missing_extensions=("8BITMIME", "SMTPUTF8"))
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    return hop


@pytest.mark.parametrize("more", [b"", b"All plain here.\r\n" * 10_000])
def test_eight_bit_text_is_converted_for_a_server_that_takes_seven(
    queue, old_hop, bob, more
):
    reference = queue.send(bob.address, JANE, raw=EIGHT_BIT + more)

    queue.run()

    [received] = old_hop.received
    assert queue.status(reference) is RecipientStatus.RELAYED
    assert received.data.isascii()
    assert "BODY=8BITMIME" not in received.mail_options
    [part] = walk(*split(received.data))
    assert part.data() == GREETING + b"\r\n" + more


def test_eight_bit_text_goes_as_it_is_where_it_is_taken(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, JANE, raw=EIGHT_BIT)

    queue.run()

    [received] = hop.received
    assert received.data.endswith(EIGHT_BIT)
    assert "BODY=8BITMIME" in received.mail_options


def test_signed_eight_bit_text_is_returned_with_what_to_do(queue, old_hop, bob, read):
    queue.send(bob.address, JANE, raw=SIGNED)

    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert old_hop.received == []
    assert about.status == "5.6.3"
    assert "signed" in about.diagnostic
    assert "switch on 8BITMIME" in about.diagnostic


def test_size_is_checked_after_the_conversion(queue, make_hop, firm, bob, read):
    hop = make_hop(
        "mail.firm.example",
        missing_extensions=("8BITMIME",),
        size_limit=len(EIGHT_BIT) + 3,
    )
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    queue.send(bob.address, JANE, raw=EIGHT_BIT)

    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert about.status == "5.3.4"


def test_refusal_of_the_content_is_reported(queue, hop, firm_connection, bob, read):
    hop.data_replies = ["554 5.6.0 Not with that attachment"]
    queue.send(bob.address, JANE)

    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert about.status == "5.6.0"


def test_message_larger_than_the_server_takes_is_reported(
    queue, make_hop, firm, bob, read
):
    hop = make_hop("small.example", size_limit=50)
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="small.example"
    )
    queue.send(bob.address, JANE)

    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert about.status == "5.3.4"
    assert hop.received == []


def test_refused_notice_begets_no_other(queue, hop, firm_connection, bob):
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"]
    reference = queue.send("", JANE)

    queue.run()

    assert queue.status(reference) is RecipientStatus.FAILED
    assert QueuedMessage.objects.count() == 1


def test_sender_who_wants_no_notice_gets_none(queue, hop, firm_connection, bob):
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"]
    queue.send(bob.address, JANE, notify="NEVER")

    queue.run()

    assert queue.inbox(bob) == []


def test_sender_who_asked_hears_of_success(queue, hop, firm_connection, bob, read):
    queue.send(bob.address, JANE, notify="SUCCESS")

    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert about.action == "relayed"


@pytest.mark.parametrize(
    ("misdeed", "why"),
    [
        ("name", "it is for another name"),
        ("authority", "an authority that is not trusted"),
        ("plain", "does not offer STARTTLS"),
    ],
)
def test_server_that_cannot_be_trusted_gets_nothing_and_the_sender_hears_soon(
    queue, make_hop, firm, bob, read, misdeed, why, tmp_path
):
    hop = {
        "name": lambda: make_hop("mail.elsewhere.example"),
        "authority": lambda: make_hop(
            "mail.firm.example", context=untrusted_context(tmp_path)
        ),
        "plain": lambda: make_hop("mail.firm.example", context=None),
    }[misdeed]()
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    reference = queue.send(bob.address, JANE)

    for _ in range(3):
        assert queue.inbox(bob) == []
        queue.run()
        queue.make_all_due()
        tls_failed_since(minutes=16)
        maintenance.run_due()

    notice = read(queue.inbox(bob)[0])
    [about] = dsn.read(notice)
    assert hop.received == []
    # Tried on for as long as any other mail, because its people can mend the server.
    assert queue.status(reference) is RecipientStatus.QUEUED
    assert about.action == "delayed"
    assert why.encode() in b" ".join(notice.split())
    assert b"_" not in queue.recipient(reference).last_reply.encode()
    maintenance.run_due()
    assert len(queue.inbox(bob)) == 1


def test_handshakes_that_fail_are_no_delay_within_a_quarter_of_an_hour(
    queue, make_hop, firm, bob
):
    hop = make_hop("mail.elsewhere.example")
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    reference = queue.send(bob.address, JANE)
    queue.age(timedelta(minutes=16))

    for _ in range(4):
        queue.run()
        queue.make_all_due()
        maintenance.run_due()

    assert queue.status(reference) is RecipientStatus.QUEUED
    assert queue.inbox(bob) == []


def test_another_answer_in_between_begins_the_count_of_handshakes_anew(
    queue, make_hop, firm, bob
):
    hop = make_hop("mail.elsewhere.example")
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    reference = queue.send(bob.address, JANE)
    for _ in range(2):
        queue.run()
        queue.make_all_due()
    tls_failed_since(minutes=16)
    hop.stop()
    queue.run()
    queue.make_all_due()
    hop.start()

    queue.run()

    assert queue.recipient(reference).tls_failures == 1
    assert queue.status(reference) is RecipientStatus.QUEUED


def tls_failed_since(*, minutes: int) -> None:
    """Sets how many minutes ago the first TLS failure was."""
    rows = Recipient.objects.exclude(tls_failing_since=None)
    rows.update(tls_failing_since=timezone.now() - timedelta(minutes=minutes))


def test_large_message_arrives_octet_for_octet(queue, hop, firm_connection, bob):
    line = b".starts with a dot and goes on " + b"x" * 40 + b"\r\n"
    raw = b"From: a@b.example\r\n\r\n" + line * 20_000
    queue.send(bob.address, JANE, raw=raw)

    queue.run()

    assert hop.received[0].data == raw


def test_mail_waiting_for_a_server_goes_as_soon_as_it_is_back(
    queue, hop, firm_connection, bob
):
    hop.stop()
    references = [queue.send(bob.address, JANE) for _ in range(3)]

    first = Recipient.objects.filter(message__reference=references[0])

    database = OneConnection()

    async def scenario():
        runner = Runner(pool=Pool(down_seconds=0), database=database)
        await runner.run_once()
        await asyncio.to_thread(hop.start)
        await database.run(queue.make_all_due, first)
        await runner.run_once()
        await runner.run_once()
        await runner.close()

    asyncio.run(scenario())

    assert len(hop.received) == 3


def test_server_that_breaks_off_gets_the_message_again(
    queue, hop, firm_connection, bob
):
    hop.data_replies = [HANG_UP]
    reference = queue.send(bob.address, JANE)
    queue.run()
    first = queue.recipient(reference)

    queue.make_all_due()
    queue.run()

    assert first.status == RecipientStatus.QUEUED
    assert first.last_reply.startswith("451 4.4.2 ")
    assert len(hop.received) == 1


def test_session_that_the_server_dropped_meanwhile_is_replaced(
    queue, hop, firm_connection, bob
):
    database = OneConnection()

    async def scenario():
        runner = Runner(database=database)
        await database.run(queue.send, bob.address, JANE)
        await runner.run_once()
        await asyncio.to_thread(hop.hang_up)
        await database.run(queue.send, bob.address, JANE)
        await runner.run_once()
        await runner.close()

    asyncio.run(scenario())

    assert len(hop.received) == 2
    assert Recipient.objects.filter(status=RecipientStatus.RELAYED).count() == 2


def test_server_that_never_speaks_is_not_waited_for(queue, firm, bob, monkeypatch):
    monkeypatch.setattr(smtp_client, "CONNECT_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        factories.make_connection(firm, next_hop_port=silent.getsockname()[1])
        reference = queue.send(bob.address, JANE)

        queue.run()

    assert queue.recipient(reference).last_reply.startswith("451 4.4.1 ")
