"""BDAT (RFC 3030): by raw sockets, beside DATA, however the message is cut."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.smtp_replies import Reply
from engine.queue.models import QueuedMessage
from engine.registry.models import Person
from engine.smtp import chunked_message, message_intake, session
from engine.smtp.chunked_message import Chunk, ChunkedMessage
from engine.smtp.data_reader import DataReader
from engine.smtp.message_intake import MessageIntake
from engine.smtp.spool import Spool
from engine.storage import content
from engine.storage.models import Message
from tests.engine.smtp.conftest import Server
from tests.engine.smtp.test_session import SIGN_IN, recorded_refusals
from tests.fakes import FakeScan

BEGIN = """\
c: MAIL FROM:<jane@firm.example>
s: 250 *
c: RCPT TO:<bob@northfield.secure.example>
s: 250 *
"""
LETTER = (
    b"From: Jane <jane@firm.example>\r\nTo: bob@northfield.secure.example\r\n"
    b"Message-ID: <%b@firm.example>\r\nSubject: In chunks\r\n\r\n"
    b"Good morning\r\n.a dot\r\n..two\r\n.\r\nthe end\r\n"
)
HEADER = r"From: Jane <jane@firm.example>\r\n\r\n"  # 34 octets


class Wire:
    """A client's octets, which arrive cut in pieces."""

    def __init__(self, octets: bytes, pieces: list[int]) -> None:
        self._octets, self._pieces = octets, pieces

    def push(self, reply: str) -> None:
        raise AssertionError(reply)

    async def read_part(self, most: int) -> bytes:
        size = min(most, self._pieces.pop() if self._pieces else most)
        part, self._octets = self._octets[:size], self._octets[size:]
        return part

    async def is_sign_in_valid(self) -> bool:
        return True


class Kept(MessageIntake):
    """Ends where the message would be accepted."""

    async def accept(self) -> Reply:
        return smtp_replies.OK


def new_message() -> Any:
    return SimpleNamespace(
        spool=Spool(), scan=FakeScan(), peer=SimpleNamespace(address="192.0.2.1")
    )


async def by_chunks(
    octets: bytes, cuts: list[int], pieces: list[int]
) -> tuple[Reply, bytes]:
    """Returns the reply to the last chunk, and the octets kept."""
    message = new_message()
    intake = Kept(message, cast(Any, SimpleNamespace(size_limit=10_000)))
    chunked = ChunkedMessage(intake, "192.0.2.1", lambda: None)
    source = cast(Any, Wire(octets, list(pieces)))
    start = 0
    for cut in sorted(cut % (len(octets) + 1) for cut in cuts):
        await chunked.read(source, Chunk(cut - start))
        start = cut
    last = Chunk(len(octets) - start, is_last=True)
    return await chunked.read_last(source, last), message.spool.read()


async def by_data(octets: bytes) -> tuple[Reply, bytes]:
    data, message = DataReader(), new_message()
    intake = Kept(message, cast(Any, SimpleNamespace(size_limit=10_000)))
    stuffed = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..")[2:]
    taken = data.feed(stuffed + b".\r\n")
    await intake.take(taken, arrived=len(taken))
    refusal = intake.refusal(
        has_bare_newline=data.has_bare_newline, has_nul=data.has_nul
    )
    return refusal or smtp_replies.OK, message.spool.read()


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a", b"\0"]), max_size=30),
    st.lists(st.integers(0, 60), max_size=8),
    st.lists(st.integers(1, 9), max_size=8),
)
def test_any_cut_is_kept_or_refused_as_by_data(
    parts: list[bytes], cuts: list[int], pieces: list[int]
) -> None:
    octets = b"".join([*parts, b"\r\n"])

    said, kept = asyncio.run(by_chunks(octets, cuts, pieces))
    by_data_said, by_data_kept = asyncio.run(by_data(octets))

    # Of two faults, BDAT names the first and DATA the worse.
    assert said.code == by_data_said.code
    assert not said.is_positive or kept == by_data_kept


def test_a_last_line_without_its_end_is_completed() -> None:
    said, kept = asyncio.run(by_chunks(b"A: b\r\n\r\nx", [3], []))

    assert (said, kept) == (smtp_replies.OK, b"A: b\r\n\r\nx\r\n")


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "x",
        "-1",
        "+1",
        "1.5",
        "0x10",
        "²",
        "1 2",
        "1 LASTLY",
        "1 LAST LAST",
        "9" * 21,
    ],
)
def test_an_odd_argument_is_malformed(argument: str) -> None:
    with pytest.raises(Exception, match=r"BDAT needs|Only LAST"):
        Chunk.parse(argument)


async def test_a_message_in_chunks_is_known_as_the_same_as_by_data(
    server: Server, bob: Person, credential: str
) -> None:
    message = LETTER % b"1"
    dialogue = await server.begin("receive")

    def talk() -> list[str]:
        dialogue.say(SIGN_IN + BEGIN + "c: DATA\ns: 354 *\n", credential=credential)
        stuffed = message.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        dialogue.say(f"c! {escaped(stuffed)}\ns: 250 2.0.0 Kept as *\n")
        said = [dialogue.last]
        for size in (len(message), 100, 7):
            chunks = [message[at : at + size] for at in range(0, len(message), size)]
            wire = b"".join(b"BDAT %d\r\n%b" % (len(c), c) for c in chunks)
            # All at once: commands, chunks, an empty last chunk and a command behind it.
            dialogue.say(BEGIN + f"c! {escaped(wire)}BDAT 0 LAST\\r\\nNOOP\\r\\n\n")
            for chunk in chunks:
                dialogue.say(f"s: 250 2.0.0 {len(chunk)} octets received\n")
            dialogue.say("s: 250 2.0.0 Kept as *\n")
            said.append(dialogue.last)
            dialogue.say("s: 250 2.0.0 OK\n")
        dialogue.close()
        return said

    said = await asyncio.to_thread(talk)

    # A resend is recognised by each of its octets, and gets the first one's reference.
    assert len(set(said)) == 1
    [kept] = [row async for row in Message.objects.select_related("content")]
    body = await sync_to_async(lambda: content.read(kept))()
    assert body.partition(b"\r\n\r\n")[2] == message.partition(b"\r\n\r\n")[2]


def escaped(octets: bytes) -> str:
    return octets.decode("latin-1").encode("unicode_escape").decode()


@pytest.mark.parametrize(
    "said",
    [
        # A chunk before its time is read to its end: QUIT in it is no command.
        "c! BDAT 6\\r\\nQUIT\\r\\n\ns: 503 5.5.1 Say MAIL first\n",
        (
            "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
            "c! BDAT 6 LAST\\r\\nQUIT\\r\\n\ns: 554 5.5.1 *\n"
        ),
        # Neither DATA nor another recipient once chunks have come; RSET ends it all.
        BEGIN + "c! BDAT 3\\r\\nabc\ns: 250 *\nc: DATA\ns: 503 5.5.1 BDAT*\n"
        "c: RCPT TO:<bob@northfield.secure.example>\ns: 503 5.5.1 *\n"
        "c: MAIL FROM:<jane@firm.example>\ns: 503 5.5.1 *\n"
        "c: RSET\ns: 250 *\nc: DATA\ns: 554 5.5.1 *\n"
        "c! BDAT 0 LAST\\r\\n\ns: 503 5.5.1 *\n",
        BEGIN + f"c! BDAT 34\\r\\n{HEADER}\ns: 250 *\nc: EHLO again\ns: 250 *\n"
        "c! BDAT 3 LAST\\r\\nx\\r\\n\ns: 503 5.5.1 *\n",
        # A bare line end at the edge of a chunk, a NUL, and a header that never ends.
        BEGIN + f"c! BDAT 36\\r\\n{HEADER}x\\r\ns: 250 *\nc! BDAT 1 LAST\\r\\ny\n"
        "s: 550 5.6.0 Lines must end*\n",
        BEGIN + f"c! BDAT 37 LAST\\r\\n{HEADER}\\x00\\r\\n\ns: 550 5.6.0 *NUL*\n",
        BEGIN + "c! BDAT 0 LAST\\r\\n\ns: 550 *\n",
        "c: MAIL FROM:<jane@firm.example> BODY=BINARYMIME\ns: 555 5.6.1 *\n",
    ],
)
async def test_chunks_that_are_refused_leave_the_session_in_step(
    server: Server, bob: Person, credential: str, said: str
) -> None:
    await server.say(
        "receive",
        SIGN_IN + said + "c: NOOP\ns: 250 *\nc: QUIT\ns: 221 *\nclosed\n",
        credential=credential,
    )

    assert not await Message.objects.aexists()
    assert not await QueuedMessage.objects.aexists()


async def test_a_chunk_before_tls_or_a_sign_in_is_read_and_refused(
    server: Server, bob: Person
) -> None:
    await server.say(
        "receive",
        "s: 220 *\nc: EHLO x\ns: 250 *\ns+ 250-CHUNKING\n"
        "c! BDAT 6 LAST\\r\\nQUIT\\r\\n\ns: 530 5.7.0 Must issue*\n"
        "c: STARTTLS\ns: 220 *\ntls\nc: EHLO x\ns: 250 *\n"
        "c! BDAT 6 LAST\\r\\nQUIT\\r\\n\ns: 530 5.7.0 Auth*\nc: NOOP\ns: 250 *\n",
    )


@pytest.mark.parametrize(
    ("argument", "reply"),
    [("x LAST", "501 5.5.4"), ("", "501 5.5.4"), ("99999999999999999999", "552 5.3.4")],
)
async def test_a_chunk_that_cannot_be_read_ends_the_session(
    server: Server, bob: Person, credential: str, argument: str, reply: str
) -> None:
    await server.say(
        "receive",
        SIGN_IN
        + BEGIN
        + f"c! BDAT {argument}\\r\\nRSET\\r\\n\ns: {reply} *\ns: 421 4.5.0 *\nclosed\n",
        credential=credential,
    )


async def test_the_limit_counts_over_all_chunks_and_is_told_early(
    server: Server, bob: Person, credential: str
) -> None:
    server.contexts[0].size_limit = 1_000
    big = "x" * 98 + "\\r\\n"

    await server.say(
        "receive",
        SIGN_IN
        + BEGIN
        + f"c! BDAT 34\\r\\n{HEADER}BDAT 900\\r\\n{big * 9}BDAT 100\\r\\n{big}"
        + f"BDAT 100\\r\\n{big}BDAT 100 LAST\\r\\n{big}NOOP\\r\\n\n"
        + "s: 250 *\ns: 250 *\n"
        + "s: 552 5.3.4 *\n" * 3
        + "s: 250 2.0.0 OK\n"
        # The transaction has ended with LAST.
        + BEGIN
        + f"c! BDAT 34 LAST\\r\\n{HEADER}\ns: 250 2.0.0 Kept as *\n",
        credential=credential,
    )

    [event] = await recorded_refusals(server)
    assert event.detail["command"] == "BDAT"
    assert event.recipient == "bob@northfield.secure.example"


async def test_chunks_that_are_refused_are_bounded_all_together(
    server: Server, bob: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a client could go on sending one chunk after another."""
    monkeypatch.setattr(message_intake, "OVERRUN", 100)
    server.contexts[0].size_limit = 100
    refused = BEGIN + "c! BDAT 37\\r\\n" + HEADER + "\\x00\\r\\n\ns: 550 5.6.0 *\n"
    drops = f"c! BDAT 90\\r\\n{'x' * 90}\ns: 550 5.6.0 *\n" * 2

    await server.say(
        "receive",
        SIGN_IN
        + refused
        + drops
        + "c: RSET\ns: 250 *\n"
        + refused
        + drops
        + f"c! BDAT 90\\r\\n{'x' * 90}\ns: 552 5.3.4 *\ns: 421 4.5.0 *\nclosed\n",
        credential=credential,
    )


async def test_a_chunk_that_trickles_in_is_broken_off(
    server: Server, bob: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_intake, "PATIENCE", 0.4)

    await server.say(
        "receive",
        SIGN_IN + BEGIN + "c! BDAT 0\\r\\nBDAT 99\\r\\nFrom: \n"
        "s: 250 *\ns: 421 4.3.0 *\nclosed\n",
        credential=credential,
    )


async def test_a_message_that_is_never_ended_is_broken_off(
    server: Server, bob: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_intake, "DEADLINE", 0.4)

    await server.say(
        "receive",
        SIGN_IN + BEGIN + "c! BDAT 3\\r\\nabc\ns: 250 *\ns: 421 4.3.0 *\nclosed\n",
        credential=credential,
    )
    while chunked_message._releases:
        await asyncio.sleep(0.01)


async def test_a_fault_before_a_chunk_is_read_ends_the_session(
    server: Server, bob: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its octets would be run as commands."""

    def fails() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(session, "Spool", fails)

    await server.say(
        "receive",
        SIGN_IN + BEGIN + "c! BDAT 6 LAST\\r\\nNOOP\\r\\n\n"
        "s: 451 4.3.0 *\ns: 421 4.5.0 *\nclosed\n",
        credential=credential,
    )


async def test_no_message_is_kept_without_a_chunk_that_was_refused(
    server: Server, bob: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the cause of the refusal has passed meanwhile."""
    new_message, refusals = session.Session._new_message, [smtp_replies.TRY_LATER]

    def refuses_once(self: session.Session, *given: Any) -> Any:
        if refusals:
            raise MailError(refusals.pop())
        return new_message(self, *given)

    monkeypatch.setattr(session.Session, "_new_message", refuses_once)

    await server.say(
        "receive",
        SIGN_IN + BEGIN + f"c! BDAT 4\\r\\nFromBDAT 34 LAST\\r\\n{HEADER}\n"
        "s: 451 4.3.0 *\ns: 451 4.3.0 *\n" + BEGIN + f"c! BDAT 34 LAST\\r\\n{HEADER}\n"
        "s: 250 2.0.0 Kept as *\n",
        credential=credential,
    )

    assert await sync_to_async(QueuedMessage.objects.count)() == 1
