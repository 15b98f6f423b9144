from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address

import pytest
from asgiref.sync import sync_to_async

from engine.mail import smtp_replies
from engine.queue.models import Source
from engine.registry.actions import connections, organisations, people
from engine.registry.models import (
    AppPassword,
    Connection,
    Organisation,
    Person,
    Proof,
)
from engine.routing import routes
from engine.smtp.command_stream import COMMAND_LIMIT
from engine.smtp.mail_transaction import MailTransaction
from engine.smtp.refusal_trace import (
    COUNT_SECONDS,
    LIMIT,
    RefusedCommand,
    address_in,
)
from engine.smtp.session import Session
from engine.smtp.session_binding import Binding, Peer
from engine.trace.models import Event, EventKind, StrangerCount
from tests.engine.smtp.conftest import Server, plain

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
SIGN_IN = HELLO + "c: AUTH PLAIN {credential}\ns: 235 *\n"
MAIL = "c: MAIL FROM:<{sender}>\ns: 250 *\n"
JANE = "jane@firm.example"


def shorten_patience(server: Server) -> None:
    sessions = server.contexts[0].sessions
    sessions.limits = replace(sessions.limits, patience=0.5)


async def recorded_refusals(server: Server) -> list[Event]:
    """Returns the refusals in the trace, after writing the pending ones."""
    for context in server.contexts:
        await context.refusals.write(context.threads)
    rows = Event.objects.filter(kind=EventKind.REFUSED)
    return [event async for event in rows]


@pytest.mark.parametrize("hello", ["s: 220 *\n", HELLO], ids=["silent", "greeted"])
async def test_a_session_that_is_nobodys_ends_after_a_while(
    server: Server, hello: str
) -> None:
    shorten_patience(server)

    await server.say("receive", hello + "s: 421 4.4.2 *\nclosed\n")


async def test_a_client_that_never_begins_tls_counts_all_the_same(
    server: Server,
) -> None:
    sessions = server.contexts[1].sessions
    sessions.limits = replace(sessions.limits, per_address=1)
    reader, silent = await asyncio.open_connection("127.0.0.1", server.submissions)
    await wait_until(lambda: len(sessions) == 1)

    _, newcomer = await asyncio.open_connection("127.0.0.1", server.submissions)
    with suppress(ConnectionError):
        assert await reader.read() == b""
    silent.close()
    newcomer.close()
    await wait_until(lambda: len(sessions) == 0)

    reader, writer = await asyncio.open_connection(
        "localhost", server.submissions, ssl=server.context
    )
    assert (await reader.readline()).startswith(b"220 ")
    assert len(sessions) == 1
    writer.close()
    await wait_until(lambda: len(sessions) == 0)


async def test_words_that_are_no_commands_are_not_remembered(server: Server) -> None:
    session = Session(server.contexts[0])

    limits = [session.command_size_limits["X" * size] for size in (10, 10_000)]

    assert limits == [COMMAND_LIMIT] * 2
    assert list(session.command_size_limits) == ["AUTH"]


async def wait_until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.02)


async def test_a_session_that_is_bound_has_time(
    server: Server, bob: Person, credential: str
) -> None:
    shorten_patience(server)
    dialogue = await server.begin("receive")
    await asyncio.to_thread(dialogue.say, SIGN_IN, credential=credential)
    await asyncio.sleep(0.6)

    await asyncio.to_thread(dialogue.run, "c: NOOP\ns: 250 *\n")


async def test_a_refused_recipient_leaves_a_line_and_a_trace(
    server: Server,
    firm_connection: Connection,
    credential: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "postern.mail")

    await server.say(
        "receive",
        SIGN_IN
        + MAIL
        + "c: RCPT TO:<Nobody@Northfield.secure.example>\ns: 550 5.1.1 *\n",
        credential=credential,
        sender=JANE,
    )

    [event] = await recorded_refusals(server)
    assert event.recipient == "nobody@northfield.secure.example"
    assert event.detail["reply"].startswith("550 5.1.1 ")
    assert event.detail["sender"] == "jane@firm.example.secure.example"
    assert event.detail["organisation_id"] == firm_connection.organisation_id
    [line] = [record.msg for record in caplog.records if record.name == "postern.mail"]
    assert line["event"] == "refused"
    assert line["recipient"] == "nobody@northfield.secure.example"
    assert line["reply"].startswith("550 5.1.1")
    assert line["peer"] == "127.0.0.1"


async def test_the_reply_quotes_the_reference_of_the_trace(
    server: Server, bob: Person, firm_connection: Connection, credential: str
) -> None:
    dialogue = await server.begin("receive")
    await asyncio.to_thread(
        dialogue.say, SIGN_IN + MAIL, credential=credential, sender=JANE
    )
    await asyncio.to_thread(
        dialogue.run,
        "c: RCPT TO:<nobody@northfield.secure.example>\ns: 550 5.1.1 *\n",
    )

    [event] = await recorded_refusals(server)
    assert dialogue.last.endswith(f"(our reference {event.reference})")
    assert event.refused_for_id == firm_connection.organisation_id
    assert event.reference not in event.detail["reply"]


async def test_a_temporary_refusal_is_traced_once_a_minute(
    server: Server, firm_connection: Connection, bob: Person, credential: str
) -> None:
    said = (
        f"c: RCPT TO:<{bob.address}>\ns: 250 *\n"
        "c: DATA\ns: 354 *\nc: From: {sender}\nc:\nc: SCANNER-AWAY\nc: .\n"
        "s: 451 4.7.1 *\n"
    )
    await server.say(
        "receive",
        SIGN_IN + (MAIL + said) * 3,
        credential=credential,
        sender=JANE,
    )

    [event] = await recorded_refusals(server)
    assert event.refused_for_id == firm_connection.organisation_id
    assert event.detail["reply"].startswith("451 4.7.1")


async def test_strangers_are_counted_by_source_and_hour(
    server: Server, bob: Person
) -> None:
    refusals = server.contexts[0].refusals
    await server.say(
        "receive",
        HELLO
        + "c: MAIL FROM:<eve@stranger.example>\ns: 530 5.7.0 *\n" * 3
        + "c: RCPT TO:<bob@northfield.secure.example>\ns: 530 5.7.0 *\n",
    )
    refusals._counted_at -= COUNT_SECONDS
    await refusals.write(server.contexts[0].threads)

    counted = await StrangerCount.objects.aget()
    assert (counted.source, counted.refusals) == ("127.0.0.1", 4)
    assert counted.hour.minute == 0
    assert counted.last_reply.startswith("530 5.7.0")


async def test_a_refused_message_is_traced_for_each_recipient(
    server: Server, alice: Person, bob: Person, credential: str
) -> None:
    await server.say(
        "receive",
        SIGN_IN
        + MAIL
        + f"c: RCPT TO:<{alice.address}>\ns: 250 *\nc: RCPT TO:<{bob.address}>\ns: 250 *\n"
        + "c: DATA\ns: 354 *\nc: From: chief@northfield.secure.example\nc:\nc: .\n"
        + "s: 550 5.7.1 *\n",
        credential=credential,
        sender=JANE,
    )

    events = await recorded_refusals(server)
    assert {event.recipient for event in events} == {alice.address, bob.address}
    assert len({event.reference for event in events}) == 1


async def test_a_refused_sender_is_traced_apart_from_the_next_message(
    server: Server, bob: Person, credential: str
) -> None:
    await server.say(
        "receive",
        SIGN_IN
        + "c: MAIL FROM:<bob@northfield.secure.example>\ns: 550 5.7.1 *\n"
        + MAIL
        + "c: RCPT TO:<nobody@northfield.secure.example>\ns: 550 5.1.1 *\n",
        credential=credential,
        sender=JANE,
    )

    refused, recipient = await recorded_refusals(server)
    assert refused.detail["sender"] == bob.address
    assert refused.reference != recipient.reference


STRANGER = (
    "s: 220 *\nc: EHLO x\ns: 250 *\nc: STARTTLS\ns: 220 *\ntls\nc: EHLO x\ns: 250 *\n"
)
WRONG_PASSWORD = HELLO + (
    f"c: AUTH PLAIN {plain('firm.example-1a2b3c', 'wrong')}\ns: 535 5.7.8 *\n"
)


async def test_mistakes_leave_no_trace(
    server: Server, bob: Person, credential: str
) -> None:
    await server.say(
        "receive",
        SIGN_IN + "c: RCPT TO:<bob@northfield.secure.example>\ns: 503 5.5.1 *\n",
        credential=credential,
    )

    assert await recorded_refusals(server) == []


async def test_a_client_that_claims_to_be_a_member_leaves_one_trace_of_a_kind(
    server: Server, bob: Person, credential: str, firm: Organisation
) -> None:
    await server.run("receive", "not_bound")
    await server.run("receive", "not_bound")
    await server.say("receive", WRONG_PASSWORD)

    events = await recorded_refusals(server)
    assert [event.detail["command"] for event in events] == ["MAIL", "AUTH"]
    assert {event.detail["organisation_id"] for event in events} == {firm.pk}
    assert {event.refused_for_id for event in events} == {None}
    assert all(event.detail["is_claim"] for event in events)


async def test_a_stranger_leaves_no_trace(server: Server, bob: Person) -> None:
    await server.say(
        "receive", HELLO + "c: MAIL FROM:<eve@stranger.example>\ns: 530 5.7.0 *\n"
    )

    assert await recorded_refusals(server) == []


async def test_a_revoked_credential_ends_the_session_at_its_next_command(
    server: Server, bob: Person, credential: str, firm_connection: Connection
) -> None:
    dialogue = await server.begin("receive")
    await asyncio.to_thread(
        dialogue.say, SIGN_IN + MAIL, credential=credential, sender=JANE
    )
    row = await firm_connection.credentials.aget()
    await sync_to_async(connections.revoke_credential)(row, by=None)
    await routes.refresh()

    await asyncio.to_thread(
        dialogue.run, f"c: RCPT TO:<{bob.address}>\ns: 421 4.7.0 *\nclosed\n"
    )


async def test_a_change_elsewhere_ends_no_session(
    server: Server, bob: Person, charlie: Person, credential: str
) -> None:
    dialogue = await server.begin("receive")
    await asyncio.to_thread(
        dialogue.say, SIGN_IN + MAIL, credential=credential, sender=JANE
    )
    harbour = charlie.organisation
    await sync_to_async(organisations.suspend)(harbour, reason="fees", by=None)
    await routes.refresh()

    await asyncio.to_thread(dialogue.run, f"c: RCPT TO:<{bob.address}>\ns: 250 *\n")


async def test_a_suspended_organisation_is_refused_in_the_middle_of_a_message(
    server: Server, bob: Person, credential: str, firm_connection: Connection
) -> None:
    dialogue = await server.begin("receive")
    await asyncio.to_thread(
        dialogue.say, SIGN_IN + MAIL, credential=credential, sender=JANE
    )
    firm = firm_connection.organisation
    await sync_to_async(organisations.suspend)(firm, reason="fees", by=None)
    await routes.refresh()

    await asyncio.to_thread(
        dialogue.run, f"c: RCPT TO:<{bob.address}>\ns: 550 5.7.1 *\n"
    )


async def test_a_source_address_that_proves_nobody_any_more_is_refused(
    server: Server, bob: Person, firm_connection: Connection
) -> None:
    firm_connection.proof = Proof.SOURCE
    firm_connection.source_networks = ["127.0.0.0/8"]
    await firm_connection.asave()
    dialogue = await server.begin("receive")
    await asyncio.to_thread(dialogue.say, HELLO + MAIL, sender=JANE)

    firm_connection.source_networks = ["192.0.2.0/24"]
    await firm_connection.asave()
    await routes.refresh()

    await asyncio.to_thread(
        dialogue.run, f"c: RCPT TO:<{bob.address}>\ns: 530 5.7.0 *\n"
    )


async def test_a_revoked_app_password_ends_the_session_at_its_next_command(
    server: Server, alice: Person, bob: Person, app_password: str
) -> None:
    dialogue = await server.begin("submission")
    await asyncio.to_thread(
        dialogue.say, SIGN_IN + MAIL, credential=app_password, sender=bob.address
    )
    row = await AppPassword.objects.select_related("person").aget()
    await sync_to_async(people.revoke_app_password)(row, by=bob)
    await routes.refresh()

    await asyncio.to_thread(
        dialogue.run, f"c: RCPT TO:<{alice.address}>\ns: 421 4.7.0 *\nclosed\n"
    )


async def test_refusals_of_one_organisation_crowd_out_nobody_elses(
    server: Server,
) -> None:
    peer = Peer(ip_address("192.0.2.1"), "TLSv1.3", frozenset())
    refusals = server.contexts[0].refusals
    noisy = RefusedCommand(
        "RCPT",
        "TO:<x@y.example>",
        smtp_replies.UNKNOWN_RECIPIENT,
        Source.RECEIVE,
        Binding(1, "credential"),
        peer,
    )

    replies = [refusals.note(noisy, MailTransaction()) for _ in range(LIMIT + 50)]
    refusals.note(replace(noisy, binding=Binding(2, "credential")), MailTransaction())

    events = await recorded_refusals(server)
    assert len(events) == LIMIT + 1
    assert events[-1].detail["organisation_id"] == 2
    # A reference that opens nothing is not quoted.
    assert [reply for reply in replies if "our reference" not in reply.text] == (
        [smtp_replies.UNKNOWN_RECIPIENT] * 50
    )


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (
            "TO:<Bob@Northfield.secure.example> NOTIFY=NEVER",
            "bob@northfield.secure.example",
        ),
        ("TO:<a\x00\udc80\r@b>", "a???@b"),
        ("", ""),
        ("TO:<" + "x" * 2000 + "@y.example>", "x" * 254),
    ],
)
def test_what_a_command_named_is_fit_to_be_kept(said: str, address: str) -> None:
    assert address_in(said) == address


async def test_a_new_connection_costs_no_look_through_the_class(server: Server) -> None:
    session = Session(server.contexts[0])

    assert "smtp_EHLO" in dir(session)
    assert len(dir(session)) < 20  # aiosmtpd inspects each, at every connection
