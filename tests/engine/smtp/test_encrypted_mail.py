"""Encrypted or signed mail, from a member's server to a hosted mailbox."""

from __future__ import annotations

from pathlib import Path

from asgiref.sync import sync_to_async

from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.scanners.embedded import EmbeddedScanner
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.registry.models import Person
from engine.storage import content
from engine.storage.models import Message
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Visibility, step
from tests import smime
from tests.engine.antivirus import pdfs, specimens
from tests.engine.smtp.conftest import Server
from tests.peers.clamd import EICAR

OPENING = """\
s: 220 *
c: EHLO mail.firm.example
s: 250 *
c: STARTTLS
s: 220 *
tls
c: EHLO mail.firm.example
s: 250 *
c: AUTH PLAIN {credential}
s: 235 *
c: MAIL FROM:<jane@firm.example>
s: 250 *
c: RCPT TO:<bob@northfield.secure.example>
s: 250 *
c: DATA
s: 354 *
"""
LOCKED = specimens.message(pdfs.LOCKED_AES_256, specimens.encrypted_zip())
ENTITY = b"Content-Type: text/plain\r\n\r\nGood morning, %s\r\n"


async def send(server: Server, credential: str, message: bytes, answer: str) -> None:
    """Sends the message as Jane, and expects this reply to the final dot."""
    lines = message.replace(b"alice@firm", b"jane@firm").decode().splitlines()
    said = "".join(f"c: {line}\n" for line in lines)
    text = f"{OPENING}{said}c: .\ns: {answer}\n"
    await server.say("receive", text, credential=credential)


async def header_of(message: Message) -> HeaderBlock:
    raw = await sync_to_async(content.read)(message)
    return HeaderBlock.parse(split(raw)[0])


async def test_what_is_encrypted_is_refused(
    server: Server, bob: Person, credential: str
) -> None:
    await send(server, credential, LOCKED, "554 5.7.1 A PDF that is encrypted cannot *")

    assert await Message.objects.acount() == 0
    assert await QuarantinedMessage.objects.acount() == 0


async def test_what_is_encrypted_is_carried_with_a_mark_where_the_community_says_so(
    server: Server, bob: Person, credential: str, settings
) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"encrypted_content": "mark"})

    await send(server, credential, LOCKED, "250 *")

    message = await Message.objects.select_related("content").aget()
    header = await header_of(message)
    event = await Event.objects.aget(kind=EventKind.RECEIVED)
    assert header.text("X-Postern-Not-Scanned") == ("encrypted PDF, encrypted archive")
    assert event.detail["unscanned"] == ["encrypted PDF", "encrypted archive"]
    assert step(event, Visibility.MEMBER).text == (
        "Accepted and kept; could not be scanned for viruses: encrypted PDF, "
        "encrypted archive"
    )


async def test_a_peers_own_mark_is_dropped(
    server: Server, bob: Person, credential: str
) -> None:
    await send(
        server,
        credential,
        b"From: jane@firm.example\r\nX-Postern-Not-Scanned: all of it\r\n\r\nx\r\n",
        "250 *",
    )

    message = await Message.objects.select_related("content").aget()
    assert (await header_of(message)).get("X-Postern-Not-Scanned") is None


async def test_signed_mail_is_scanned_inside(
    server: Server, bob: Person, credential: str
) -> None:
    """The scanner itself decodes base64 in the message."""
    infected = smime.message(smime.signed(ENTITY % b"INFECTED"))

    await send(server, credential, infected, "554 5.7.1 *found Test.Signature*")

    kept = await QuarantinedMessage.objects.aget()
    assert kept.signature == "Test.Signature"


async def test_signed_mail_that_is_clean_is_kept_as_it_came(
    server: Server, bob: Person, credential: str
) -> None:
    clean = smime.message(smime.signed(ENTITY % b"Bob"))

    await send(server, credential, clean, "250 *")

    message = await Message.objects.select_related("content").aget()
    raw = await sync_to_async(content.read)(message)
    assert split(raw)[1] == split(clean)[1]


async def test_signed_mail_waits_where_the_scanner_is_away(
    server: Server, bob: Person, credential: str
) -> None:
    signed = smime.message(smime.signed(ENTITY % b"SCANNER-AWAY"))

    await send(server, credential, signed, "451 4.7.1 *")

    assert await Message.objects.acount() == 0


async def test_a_file_that_is_signed_is_scanned_inside(
    server: Server, bob: Person, credential: str, tmp_path: Path
) -> None:
    server.contexts[0].scanner = EmbeddedScanner(tmp_path / "scanning")
    infected = specimens.message(smime.signed(specimens.gzipped(EICAR)))

    await send(server, credential, infected, "554 5.7.1 *found Postern.Test.EICAR*")

    assert await Message.objects.acount() == 0
