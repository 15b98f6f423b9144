from __future__ import annotations

import pytest

from engine.antivirus.models import QuarantinedMessage
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import Connection, Person, Proof
from engine.storage import content
from engine.storage.models import Message
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
    "forbidden_attachment",
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


@pytest.mark.parametrize("dialogue", ["accepted", "pipelined", "a_bounce"])
async def test_receive_keeps_what_it_accepts(
    server: Server, bob: Person, credential: str, dialogue: str
) -> None:
    await server.run("receive", dialogue, credential=credential)

    recipient = await Recipient.objects.aget()
    assert recipient.address == bob.address


async def test_a_received_message_carries_community_addresses_and_its_own_body(
    server: Server, bob: Person, credential: str
) -> None:
    await server.say(
        "receive",
        HELLO + "c: AUTH PLAIN {credential}\ns: 235 *\n" + LETTER,
        credential=credential,
    )

    message = await Message.objects.select_related("content").aget()
    raw = content.read(message.content)
    assert message.from_address == "jane@firm.example.secure.example"
    assert message.envelope_sender == "jane@firm.example.secure.example"
    assert b'From: "Jane (Firm)" <jane@firm.example.secure.example>\r\n' in raw
    assert b"someone@elsewhere.example\r\n" in raw
    assert raw.startswith(b"Received: from mail.firm.example ([127.0.0.1])")
    assert raw.endswith(b"\r\n\r\nGood morning\r\n.and a dot\r\n")


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

    assert await Message.objects.acount() == 1


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
    assert content.read(message.content).endswith(b"\r\n" + b"x" * 73 + b"\r\n")
    assert (
        await Recipient.objects.filter(status=RecipientStatus.DELIVERED).acount() == 1
    )


async def test_receive_takes_helo_inside_tls(server: Server, credential: str) -> None:
    await server.run("receive", "helo_inside_tls", credential=credential)
