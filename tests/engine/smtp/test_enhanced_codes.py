"""Drives every command, in every state and with every fault, by a raw socket.

RFC 2034 §4: every reply has an enhanced status code of its own class, apart from the
greeting and what answers HELO or EHLO.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest
from aiosmtpd.smtp import SMTP

from engine.mail import smtp_replies
from engine.mail.smtp_replies import Reply
from engine.registry.models import Person
from engine.routing import routes
from engine.smtp.command_stream import COMMAND_LIMIT, LINE_LIMIT
from engine.smtp.connection import ERROR_LIMIT, UNKNOWN_LIMIT
from engine.smtp.session import Session
from tests.engine.smtp.conftest import Server

# Every command is refused or answered before the database matters.
pytestmark = pytest.mark.any_database

CODED = re.compile(rb"([245])\d\d[ -]\1\.\d{1,3}\.\d{1,3} [ -~]+\r\n")
INTERMEDIATE = re.compile(rb"3\d\d [ -~]*\r\n")

BOB, ALICE = b"bob@northfield.secure.example", b"alice@northfield.secure.example"
JANE = b"jane@firm.example"
FROM_BOB, FROM_JANE = (b"MAIL FROM:<%b>" % sender for sender in (BOB, JANE))
TO_ALICE = b"RCPT TO:<%b>" % ALICE

# The states, each reached from the one before.
CLEAR = ("greeted", "said EHLO")
SECURE = ("inside TLS", "EHLO again", "signed in", "MAIL given", "RCPT given")

FAULTS = [
    b"",
    b" ",
    b"WHAT",
    b"WHAT now",
    b"GET / HTTP/1.1",
    b"MA\xc3\xa4L x",
    b"\xff\xfe",
    b"\0",
    b"NOOP " + b"x" * COMMAND_LIMIT,
    b"x" * (LINE_LIMIT + 1),
    b"HELO",
    b"EHLO",
    b"HELO laptop",
    b"MAIL",
    b"MAIL bob",
    b"MAIL FROM:",
    b"MAIL FROM:bob@northfield.secure.example",
    b"MAIL FROM:<bob",
    b"MAIL FROM:<bob@>",
    b"MAIL FROM:<@a:bob@x.example>",
    b"MAIL FROM:<nobody@elsewhere.example>",
    *(
        sender + b" " + parameter
        for sender in (FROM_BOB, FROM_JANE)
        for parameter in (
            b"SIZE=x",
            b"SIZE=99999999999",
            b"BODY=BINARYMIME",
            b"RET",
            b"RET=SOME",
            b"ENVID",
            b"ENVID=a+b",
            b"ENVID=a+0A",
            b"ENVID=" + b"x" * 101,
            b"HOLDFOR=10",
            b"=",
            b"SIZE=1 SIZE=1",
            b"\x01",
            b"x" * 2_010,
        )
    ),
    b"RCPT",
    b"RCPT bob",
    b"RCPT TO:<>",
    b"RCPT TO:<bob@>",
    b"RCPT TO:<nobody@northfield.secure.example>",
    b"RCPT TO:<nobody@elsewhere.example>",
    *(
        TO_ALICE + b" " + parameter
        for parameter in (
            b"NOTIFY",
            b"NOTIFY=NEVER,DELAY",
            b"NOTIFY=SOMETIMES",
            b"ORCPT",
            b"ORCPT=bob",
            b"ORCPT=rfc822;a+b",
            b"ORCPT=rfc822;" + b"x" * 500,
            b"SIZE=1",
        )
    ),
    b"AUTH",
    b"AUTH NTLM",
    b"AUTH PLAIN x",
    b"AUTH PLAIN =",
    b"AUTH PLAIN AGJvYgB3cm9uZw==",
    b"AUTH LOGIN\r\n*",
    b"AUTH LOGIN\r\nYm9i\r\nwrong",
    b"AUTH LOGIN\r\n" + b"x" * (LINE_LIMIT + 1),
    b"VRFY",
    b"VRFY bob",
    b"EXPN",
    b"EXPN list",
    b"HELP",
    b"HELP MAIL",
    b"NOOP",
    b"NOOP x",
    b"STARTTLS now",
    b"QUIT now",
    b"DATA now\r\n.",
    b"BDAT 0",
    b"BDAT 0 LAST",
]
# Said after each.
ENDS = [b"RSET x", b"RSET", b"QUIT"]

# What may follow DATA, and so is answered as a message.
BODIES = [
    b"\r\n.\r\n",
    b"No: author\r\n\r\nx\r\n.\r\n",
    b"From: x\r\n\r\nx\r\n.\r\n",
    b"From: <%b>\r\nno field\r\n\r\nx\r\n.\r\n" % BOB,
    b"From: <%b>\r\n\r\nbare\nline\r\n.\r\n" % BOB,
    b"From: <%b>\r\n\r\n\0\r\n.\r\n" % BOB,
    b"From: <%b>\r\n\r\nx\r\n.\r\n" % BOB,
    b"From: <%b>\r\n" % BOB + b"Received: x\r\n" * 200 + b"\r\n.\r\n",
    b"X: " + b"x" * 300_000 + b"\r\n\r\n.\r\n",
    b"From: <%b>\r\n\r\n" % BOB + b"x" * 1_100_000 + b"\r\n.\r\n",
]


class RawClient:
    """A socket, and each line that it has read since its greeting."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._context = context
        self._socket = socket.create_connection(("127.0.0.1", port), 20)
        self._lines = self._socket.makefile("rb")
        assert self._lines.readline().startswith(b"220 ")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def say(self, line: bytes) -> list[bytes]:
        """Sends a line and returns the lines of its reply; empty where it hung up."""
        self._socket.sendall(line + b"\r\n")
        return self.reply()

    def say_all(self, lines: bytes) -> Iterator[list[bytes]]:
        """Sends lines one by one while each is answered by 334; yields the replies."""
        for line in lines.split(b"\r\n"):
            reply = self.say(line)
            yield reply
            if not (reply and reply[-1].startswith(b"3")):
                return

    def send(self, octets: bytes) -> list[bytes]:
        self._socket.sendall(octets)
        return self.reply()

    def reply(self) -> list[bytes]:
        lines: list[bytes] = []
        while line := self._lines.readline():
            lines.append(line)
            if line[3:4] != b"-":
                break
        return lines

    def start_tls(self) -> None:
        assert_coded(self.say(b"STARTTLS"), "STARTTLS")
        self._lines.close()
        self._socket = self._context.wrap_socket(
            self._socket, server_hostname="localhost"
        )
        self._lines = self._socket.makefile("rb")


def assert_coded(reply: list[bytes], why: object) -> None:
    assert reply, f"{why!r}: hung up"
    for line in reply:
        assert CODED.fullmatch(line) or INTERMEDIATE.fullmatch(line), (why, line)


def lead(client: RawClient, port: str, state: str, credential: str) -> None:
    """Brings the client into a state."""
    steps = [*CLEAR, *SECURE]
    mail = FROM_JANE if port == "receive" else FROM_BOB
    for step in steps[: steps.index(state) + 1]:
        match step:
            case "said EHLO" | "EHLO again":
                assert client.say(b"EHLO laptop")[-1].startswith(b"250")
            case "inside TLS":
                client.start_tls()
            case "signed in":
                reply = client.say(b"AUTH PLAIN " + credential.encode())
                assert reply[-1].startswith(b"235 2.7.0"), reply
            case "MAIL given":
                assert client.say(mail)[-1].startswith(b"250 2.1.0")
            case "RCPT given":
                assert client.say(TO_ALICE)[-1].startswith(b"250 2.1.5")


@pytest.mark.parametrize("state", [*CLEAR, *SECURE])
@pytest.mark.parametrize("port", ["receive", "submission"])
async def test_every_fault_in_every_state_is_answered_with_an_enhanced_code(
    server: Server,
    alice: Person,
    credential: str,
    app_password: str,
    port: str,
    state: str,
) -> None:
    await routes.refresh()
    signed = credential if port == "receive" else app_password

    def talk() -> None:
        for fault in FAULTS:
            with closing(RawClient(getattr(server, port), server.context)) as client:
                lead(client, port, state, signed)
                for reply in client.say_all(fault):
                    if fault == b"HELO laptop" and state in SECURE:
                        assert reply == [b"250 localhost\r\n"]
                    else:
                        assert_coded(reply, (state, fault))
                for end in ENDS:
                    assert_coded(client.say(end), (state, fault, end))

    await asyncio.to_thread(talk)


@pytest.mark.parametrize("port", ["receive", "submission"])
async def test_every_message_is_answered_with_an_enhanced_code(
    server: Server, alice: Person, credential: str, app_password: str, port: str
) -> None:
    await routes.refresh()
    signed = credential if port == "receive" else app_password

    def talk() -> None:
        for body in BODIES:
            with closing(RawClient(getattr(server, port), server.context)) as client:
                lead(client, port, "RCPT given", signed)
                assert client.say(b"DATA")[-1].startswith(b"354")
                assert_coded(client.send(body), body[:60])

    await asyncio.to_thread(talk)


@pytest.mark.parametrize(
    ("line", "limit"), [(b"GET / HTTP/1.1", UNKNOWN_LIMIT), (b"", ERROR_LIMIT)]
)
async def test_a_client_that_says_no_commands_is_sent_away(
    server: Server, line: bytes, limit: int
) -> None:
    def talk() -> list[bytes]:
        with closing(RawClient(server.receive, server.context)) as client:
            for _ in range(limit - 1):
                assert_coded(client.say(line), line)
            return [*client.say(line), *client.reply(), *client.reply()]

    *_, last = await asyncio.to_thread(talk)

    assert last.startswith(b"421 4.7.0 ")


def test_no_command_is_answered_by_the_library() -> None:
    commands = [name for name in dir(SMTP) if name.startswith("smtp_")]

    assert commands
    assert [
        name for name in commands if getattr(Session, name) is getattr(SMTP, name)
    ] == []


def test_every_reply_in_the_table_has_an_enhanced_code() -> None:
    table = [reply for reply in vars(smtp_replies).values() if isinstance(reply, Reply)]

    assert len(table) > 40
    assert [
        str(reply) for reply in table if reply.enhanced[:1] != str(reply.code)[0]
    ] == []
