from __future__ import annotations

import asyncio
import errno
import gc
import socket
import struct

import pytest
from asgiref.sync import sync_to_async

from engine.antivirus.models import QuarantinedMessage
from engine.mail.header import MAX_FIELDS, ROOM_FIELDS, HeaderBlock
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import (
    AccountType,
    Connection,
    Mailbox,
    Organisation,
    Person,
    Posting,
    Proof,
)
from engine.smtp.message_acceptance import HOP_LIMIT
from engine.smtp.spool import Spool
from engine.storage import content, quota
from engine.storage.models import Message
from tests import factories
from tests.engine.smtp.conftest import Server

REFUSALS = [
    "before_tls",
    "not_bound",
    "wrong_password",
    "another_organisation",
    "unknown_recipients",
    "order",
    "smuggling",
    "no_author",
    "starttls_injection",
    "odd_notify",
    "odd_sasl",
    "forbidden_attachment",
    "forbidden_in_archive",
    "forbidden_in_message",
    "forbidden_second_name",
    "forbidden_type_with_comment",
    "scanner_away",
    "our_own_fault",
]

HELLO = """\
s: 220 *
c: EHLO mail.firm.example
s: 250 *
c: STARTTLS
s: 220 *
tls
c: EHLO mail.firm.example
s: 250 *
"""

LETTER = """\
c: MAIL FROM:<jane@firm.example>
s: 250 *
c: RCPT TO:<bob@northfield.secure.example>
s: 250 *
c: DATA
s: 354 *
c: From: "Jane (Firm)" <jane@firm.example>
c: To: bob@northfield.secure.example, someone@elsewhere.example
c: Message-ID: <1@firm.example>
c: Subject: hello
c:
c: Good morning
c: ..and a dot
c: .
s: 250 2.0.0 *
"""


@pytest.mark.parametrize("dialogue", REFUSALS)
async def test_receive_refuses_and_keeps_nothing(
    server: Server, bob: Person, alice: Person, credential: str, dialogue: str
) -> None:
    await server.run("receive", dialogue, credential=credential)

    assert await Message.objects.acount() == 0
    assert await QueuedMessage.objects.acount() == 0


async def test_receive_refuses_a_disguised_file_to_a_list(
    server: Server, northfield: Organisation, bob: Person, credential: str
) -> None:
    await sync_to_async(factories.make_list)(
        "duty@northfield.secure.example",
        northfield,
        bob.address,
        posting=Posting.COMMUNITY,
    )

    await server.run("receive", "forbidden_to_a_list", credential=credential)

    assert await Message.objects.acount() == 0
    assert await QueuedMessage.objects.acount() == 0


async def test_receive_refuses_an_automatic_answer_to_a_list(
    server: Server, northfield: Organisation, bob: Person, credential: str
) -> None:
    await sync_to_async(factories.make_list)(
        "duty@northfield.secure.example",
        northfield,
        bob.address,
        posting=Posting.COMMUNITY,
    )

    await server.run("receive", "automatic_to_a_list", credential=credential)

    assert await QueuedMessage.objects.acount() == 1


@pytest.mark.parametrize("dialogue", ["accepted", "pipelined", "a_bounce"])
async def test_receive_keeps_what_it_accepts(
    server: Server, bob: Person, credential: str, dialogue: str
) -> None:
    await server.run("receive", dialogue, credential=credential)

    recipient = await Recipient.objects.aget()
    assert recipient.address == bob.address


async def test_a_notice_for_a_lists_bounce_address_is_kept(
    server: Server, northfield: Organisation, credential: str
) -> None:
    await sync_to_async(factories.make_list)(
        "duty@northfield.secure.example", northfield
    )

    await server.run("receive", "a_bounce_to_a_list", credential=credential)

    recipient = await Recipient.objects.aget()
    assert recipient.destination.startswith("bounces:")


async def test_a_received_message_carries_community_addresses_and_its_own_body(
    server: Server, bob: Person, credential: str
) -> None:
    await server.say(
        "receive",
        HELLO + "c: AUTH PLAIN {credential}\ns: 235 *\n" + LETTER,
        credential=credential,
    )

    message = await Message.objects.select_related("content").aget()
    raw = content.read(message)
    assert message.from_address == "jane@firm.example.secure.example"
    assert message.envelope_sender == "jane@firm.example.secure.example"
    assert b'From: "Jane (Firm)" <jane@firm.example.secure.example>\r\n' in raw
    assert b" with ESMTPSA" in raw
    assert b"someone@elsewhere.example\r\n" in raw
    results, _, rest = raw.partition(b"\r\nReceived: ")
    assert results.startswith(b"Authentication-Results: localhost; spf=")
    assert rest.startswith(b"from mail.firm.example ([127.0.0.1])")
    assert raw.endswith(b"\r\n\r\nGood morning\r\n.and a dot\r\n")


@pytest.mark.parametrize(
    ("hops", "reply"), [(HOP_LIMIT, "250 2.0.0 *"), (HOP_LIMIT + 1, "554 5.4.6 *")]
)
async def test_a_message_that_goes_round_in_circles_is_refused(
    server: Server, bob: Person, credential: str, hops: int, reply: str
) -> None:
    begin, _, end = LETTER.partition('c: From: "Jane')
    passed = (
        "c: Received: from a.example by b.example; Mon, 2 Nov 2026 10:00:00 +0000\n"
    )

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + begin
        + passed * hops
        + 'c: From: "Jane'
        + end.replace("250 2.0.0 *", reply),
        credential=credential,
    )

    assert HOP_LIMIT == 100
    assert await Message.objects.acount() == (hops <= HOP_LIMIT)


async def test_a_servers_mail_gets_no_date_and_no_message_id(
    server: Server, bob: Person, credential: str
) -> None:
    bare = "".join(
        line
        for line in LETTER.splitlines(keepends=True)
        if not line.startswith(("c: Date:", "c: Message-ID:"))
    )

    await server.say(
        "receive",
        HELLO + "c: AUTH PLAIN {credential}\ns: 235 *\n" + bare,
        credential=credential,
    )

    message = await Message.objects.select_related("content").aget()
    header = HeaderBlock.parse(content.header(message))
    assert header.get("From")
    assert not header.get("Date")
    assert not header.get("Message-ID")


async def test_a_resend_after_a_lost_reply_is_kept_once(
    server: Server, bob: Person, credential: str
) -> None:
    text = HELLO + "c: AUTH PLAIN {credential}\ns: 235 *\n" + LETTER

    await server.say("receive", text + LETTER, credential=credential)
    await server.say("receive", text, credential=credential)

    assert await Message.objects.acount() == 1


async def test_an_infected_message_is_refused_and_a_copy_kept(
    server: Server, bob: Person, alice: Person, credential: str
) -> None:
    await server.run("receive", "infected", credential=credential)

    copy = await QuarantinedMessage.objects.aget()
    assert copy.signature == "Test.Signature"
    assert await Message.objects.filter(mailbox__address=bob.address).acount() == 0


async def test_a_full_mailbox_is_not_now(
    server: Server, bob: Person, alice: Person, credential: str
) -> None:
    mailboxes = Mailbox.objects.filter(owner=bob)
    await mailboxes.aupdate(quota_bytes=0)
    await asyncio.to_thread(quota.refresh_full)

    await server.run("receive", "full_mailbox", credential=credential)

    await mailboxes.aupdate(quota_bytes=1)
    await asyncio.to_thread(quota.refresh_full)


async def test_a_suspended_organisation_is_refused_at_the_next_command(
    server: Server, bob: Person, credential: str, firm_connection: Connection
) -> None:
    firm = firm_connection.organisation
    firm.status = "suspended"
    await firm.asave()

    await server.say(
        "receive",
        HELLO + "c: AUTH PLAIN {credential}\ns: 535 *\n",
        credential=credential,
    )


async def test_a_source_address_binds_where_the_connection_says_so(
    server: Server, bob: Person, firm_connection: Connection
) -> None:
    firm_connection.proof = Proof.SOURCE
    firm_connection.source_networks = ["127.0.0.0/8"]
    await firm_connection.asave()

    await server.say("receive", HELLO + LETTER)

    message = await Message.objects.select_related("content").aget()
    assert b" with ESMTPS" in bytes(message.content.header)
    assert b"ESMTPSA" not in bytes(message.content.header)


async def test_a_message_with_too_many_parts_is_refused_whatever_comes_first(
    server: Server, bob: Person, credential: str
) -> None:
    """A file that may hold others is examined apart from parts that are quick to judge."""
    begin = LETTER[: LETTER.index("c: From:")]
    many = "c: --x\nc:\nc: a\n" * 1001

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + begin
        + "c: From: jane@firm.example\n"
        + "c: Content-Type: multipart/mixed; boundary=x\nc:\n"
        + "c: --x\nc: Content-Type: application/pdf\nc:\nc: %PDF-1.4\n"
        + many
        + "c: --x--\nc: .\ns: 554 5.7.1 *\n",
        credential=credential,
    )

    assert await Message.objects.acount() == 0


async def test_a_message_of_a_megabyte_passes_and_a_larger_one_is_refused(
    server: Server, bob: Person, credential: str
) -> None:
    small, large = 900_000 // 75, 1_100_000 // 75
    start = """\
c: MAIL FROM:<jane@firm.example>
s: 250 *
c: RCPT TO:<bob@northfield.secure.example>
s: 250 *
c: DATA
s: 354 *
c: From: jane@firm.example
c:
"""
    line = "c: " + "x" * 73 + "\n"

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + start
        + line * small
        + "c: .\ns: 250 *\n"
        + start
        + line * large
        + "c: .\ns: 552 5.3.4 *\nc: NOOP\ns: 250 *\n",
        credential=credential,
    )

    message = await Message.objects.select_related("content").aget()
    assert message.content.blob_key
    assert content.read(message).endswith(b"\r\n" + b"x" * 73 + b"\r\n")
    assert (
        await Recipient.objects.filter(status=RecipientStatus.DELIVERED).acount() == 1
    )


async def test_receive_takes_helo_inside_tls(server: Server, credential: str) -> None:
    await server.run("receive", "helo_inside_tls", credential=credential)


async def test_the_null_sender_writes_as_no_neighbour_below_a_domain_of_ours(
    server: Server, bob: Person, credential: str, branch: Organisation
) -> None:
    await server.run("receive", "bounce_from_a_neighbour", credential=credential)

    assert await Message.objects.acount() == 0


async def test_a_long_name_passes_over_no_neighbour_below_a_domain_of_ours(
    server: Server, bob: Person, credential: str
) -> None:
    """With the suffix such an address would be too long, below the branch's domain."""
    organisation = await sync_to_async(factories.make_organisation)(
        account_type=AccountType.SMTP
    )
    below = ".".join(["b" * 60, "b" * 60, "b" * 40, "firm.example"])
    await sync_to_async(factories.make_domain)(organisation, below)

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + "c: MAIL FROM:<>\ns: 250 *\n"
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
        + "c: DATA\ns: 354 *\n"
        + f"c: From: {'c' * 64}@mx.{below}\nc:\nc: .\n"
        + "s: 550 5.7.1 *\n",
        credential=credential,
    )


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Postmaster <postmaster@firm.example>", "250 *"),
        ("Mail Delivery System <MAILER-DAEMON@mx.firm.example>", "250 *"),
        ("Postern Helpdesk <postmaster@firm.example>", "550 5.7.1 *"),
        ("Postmaster <jane@firm.example>", "550 5.7.1 *"),
    ],
)
async def test_a_servers_own_notice_bears_its_own_name_only(
    server: Server, bob: Person, credential: str, name: str, answer: str
) -> None:
    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + "c: MAIL FROM:<>\ns: 250 *\n"
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
        + f"c: DATA\ns: 354 *\nc: From: {name}\nc:\nc: .\ns: {answer}\n",
        credential=credential,
    )


@pytest.mark.parametrize(
    "written",
    [
        'From: "bob@northfield.secure.example" <jane@firm.example>',
        'From: "Bob @ Northfield" <jane@firm.example>',
        'From: "Bob at northfield dot secure dot example" <jane@firm.example>',
        'From: "someone@elsewhere.example" <jane@firm.example>',
        'From: "Postern Support" <jane@firm.example>',
        "From: jane@firm.example\\r\\nReply-To: Helpdesk <jane@firm.example>",
        'From: "\\"helpdesk@secure.example\\"" <jane@firm.example>',
        'From: "helpdesk@secure.example"@firm.example',
    ],
)
async def test_a_name_that_passes_for_somebody_elses_is_refused(
    server: Server, bob: Person, credential: str, written: str
) -> None:
    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
        + "c: DATA\ns: 354 *\n"
        + "".join(f"c: {line}\n" for line in written.split("\\r\\n"))
        + "c:\nc: .\ns: 550 5.7.1 *\n",
        credential=credential,
    )


@pytest.mark.parametrize(
    "where", ["Subject: a\\x00b\\r\\n\\r\\n", "\\r\\na\\x00b\\r\\n"]
)
async def test_a_message_with_a_nul_is_refused_for_good(
    server: Server, bob: Person, credential: str, where: str
) -> None:
    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
        + "c: DATA\ns: 354 *\n"
        + f"c! From: jane@firm.example\\r\\n{where}.\\r\\n\n"
        + "s: 550 5.6.0 The message holds a NUL character*\n",
        credential=credential,
    )

    assert not await Message.objects.aexists()


@pytest.fixture
def branch(transactional_db: None) -> Organisation:
    """Another member, whose domain is below the firm's."""
    organisation = factories.make_organisation(account_type=AccountType.SMTP)
    factories.make_domain(organisation, "branch.firm.example")
    return organisation


async def test_a_handshake_that_dies_leaves_no_session_counted_and_no_error(
    server: Server,
) -> None:
    def hang_up() -> None:
        with socket.create_connection(("127.0.0.1", server.receive), 10) as client:
            for line in (b"EHLO me\r\n", b"STARTTLS\r\n"):
                client.recv(1000)
                client.sendall(line)
            client.recv(1000)
            linger = struct.pack("ii", 1, 0)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    for _ in range(3):
        await asyncio.to_thread(hang_up)
    for _ in range(100):
        if not len(server.contexts[0].sessions):
            break
        await asyncio.sleep(0.05)

    assert len(server.contexts[0].sessions) == 0
    tasks = [one for one in gc.get_objects() if type(one) is asyncio.Task]
    ended = [one for one in tasks if one.done() and not one.cancelled()]
    # asyncio logs a traceback for an exception that is never retrieved.
    assert not [
        one for one in ended if one.exception() and "_handle_client" in repr(one)
    ]


@pytest.mark.parametrize(
    "fault", [OSError(errno.EIO, "Input/output error"), ValueError("a bug")]
)
async def test_a_fault_while_reading_ends_the_session_before_the_body_is_a_command(
    server: Server,
    bob: Person,
    credential: str,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
) -> None:
    def fail(self: Spool, data: bytes) -> None:
        raise fault

    monkeypatch.setattr(Spool, "write", fail)

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
        + "c: DATA\ns: 354 *\n"
        + "c! From: jane@firm.example\\r\\n\\r\\nRSET\\r\\n\n"
        + "s: 421 4.3.0 *\nclosed\n",
        credential=credential,
    )


async def test_a_message_without_room_is_read_to_its_end_and_asked_for_again(
    server: Server, bob: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many clients never read the reply if the connection is reset while they send."""

    def fail(self: Spool, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Spool, "write", fail)

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
        + "c: DATA\ns: 354 *\n"
        + "c! From: jane@firm.example\\r\\n\\r\\nRSET\\r\\n.\\r\\n\n"
        + "s: 452 4.3.1 *\n"
        + "c: NOOP\ns: 250 *\n",
        credential=credential,
    )


@pytest.mark.parametrize(
    ("count", "answer"),
    [(MAX_FIELDS - ROOM_FIELDS, "250 *"), (MAX_FIELDS, "550 5.6.0 *")],
)
async def test_a_header_keeps_room_for_what_lists_and_tags_add(
    server: Server, bob: Person, credential: str, count: int, answer: str
) -> None:
    fields = "".join(f"c: X-{number}: x\n" for number in range(count - 1))

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
        + "c: DATA\ns: 354 *\n"
        + f"c: From: jane@firm.example\n{fields}c:\nc: .\n"
        + f"s: {answer}\n",
        credential=credential,
    )


async def test_results_that_claim_to_be_ours_are_dropped_however_they_are_written(
    server: Server, bob: Person, credential: str
) -> None:
    forged = "".join(
        f"c: Authentication-Results: {value}; dkim=pass\n"
        for value in (
            "localhost",
            "(x) localhost",
            "(x) mx.secure.example (y",
            "((x) mx.secure.example",
            '"localhost"',
            "(a;b) localhost",
            '"local\\host"',
            "=?utf-8?q?local=68ost?=",
            "local(x)host",
            "local(x(y)z)host",
            '"LocalHost" 1',
            "localhost/1",
            "mx.secure.example",
            '(by (the) way) "secure\\.example" 1',
            "\uff4cocalhost",
        )
    )

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + LETTER.replace("c: Message-ID", f"{forged}c: Message-ID"),
        credential=credential,
    )

    message = await Message.objects.select_related("content").aget()
    assert b"dkim=pass" not in content.read(message)


async def test_arc_sets_that_claim_to_be_ours_are_dropped_whole(
    server: Server, bob: Person, credential: str
) -> None:
    sets = "".join(
        f"c: ARC-Seal: i={number}; a=rsa-sha256; cv=none; d={domain}; s=forged; b=AAAA\n"
        f"c: ARC-Message-Signature: i={number}; a=rsa-sha256; d={domain}; b=BBBB\n"
        f"c: arc-authentication-results: i={number} ;{said_by}; dkim=pass\n"
        for number, domain, said_by in [
            (1, "relay.example", "relay.example"),
            (2, "relay.example", '(x) "local\\host" 1'),
            (3, "Secure.Example", "relay.example"),
            (4, "relay.example", "mx.secure.example"),
        ]
    )

    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + LETTER.replace("c: Message-ID", f"{sets}c: Message-ID"),
        credential=credential,
    )

    message = await Message.objects.select_related("content").aget()
    header = HeaderBlock.salvage(content.read(message))
    kept = [f for f in header.fields if f.name.lower().startswith("arc-")]
    assert [field.value[:4] for field in kept] == [b"i=1;", b"i=1;", b"i=1 "]


async def test_only_the_envelope_says_where_a_message_returns_to(
    server: Server, bob: Person, credential: str
) -> None:
    await server.say(
        "receive",
        HELLO
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + LETTER.replace("c: Subject", "c: Return-Path: <x@y.example>\nc: Subject"),
        credential=credential,
    )

    message = await Message.objects.select_related("content").aget()
    assert b"x@y.example" not in content.read(message)


async def test_a_credential_opens_no_connection_that_asks_for_another_proof(
    server: Server, bob: Person, credential: str, firm_connection: Connection
) -> None:
    firm_connection.proof = Proof.CERTIFICATE
    await firm_connection.asave()

    await server.say(
        "receive",
        HELLO + "c: AUTH PLAIN {credential}\ns: 535 5.7.8 *\n",
        credential=credential,
    )
