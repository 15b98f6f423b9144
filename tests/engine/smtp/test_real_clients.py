"""What swaks, curl and Postfix say, and what becomes of it."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from engine.mail.header import HeaderBlock
from engine.queue.models import QueuedMessage, Recipient
from engine.registry.models import Person
from engine.routing import routes
from engine.storage import content
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests.engine.smtp.conftest import SECRET, Server
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until
from tests.peers.swaks import login_options, swaks, tls_options

pytestmark = pytest.mark.slow

JANE, BOB = "jane@firm.example", "bob@northfield.secure.example"


@pytest.mark.parametrize(
    ("sender", "recipient", "refusal"),
    [
        # swaks writes what it is given between angle brackets.
        (f"{JANE}> ENVID=case+7<", BOB, "501 5.5.4 ENVID"),
        (f"{JANE}> RET=ALL ENVID=<", BOB, "501 5.5.4 RET"),
        (JANE, f"{BOB}> ORCPT=rfc822;bob+case<", "501 5.5.4 ORCPT"),
        (JANE, f"{BOB}> NOTIFY=SOMETIMES ORCPT=rfc822;<", "501 5.5.4 NOTIFY"),
    ],
)
async def test_swaks_is_refused_what_a_next_hop_would_refuse(
    server: Server,
    authority: Authority,
    bob: Person,
    credential: str,
    sender: str,
    recipient: str,
    refusal: str,
) -> None:
    await routes.refresh()

    said = await asyncio.to_thread(
        swaks,
        server.receive,
        *tls_options(authority.ca_file),
        *login_options("firm", SECRET),
        sender=sender,
        recipient=recipient,
    )

    assert said.refusal.startswith(refusal), said.transcript
    assert not await QueuedMessage.objects.aexists()


async def test_postfix_asks_for_reports_in_ways_that_are_taken(
    server: Server, authority: Authority, bob: Person, credential: str
) -> None:
    await routes.refresh()

    def send() -> None:
        with Postfix(
            "firm.example", "jane", cert_file=Path(), key_file=Path(),
            options={"smtpd_tls_security_level": "none"},
        ) as firm:  # fmt: skip
            firm.stop()
            firm.relay_through(
                "localhost",
                server.receive,
                username="firm",
                password=SECRET,
                ca_file=authority.ca_file,
            )
            firm.start()
            firm.send(
                b"From: Jane <jane@firm.example>\nSubject: Reports\n\nHello\n",
                sender=JANE,
                recipients=[BOB],
                options=["-V", "case+7=<x> %", "-N", "success,delay,failure"],
            )
            wait_until(lambda: "status=sent" in firm.log(), firm.log())

    await asyncio.to_thread(send)

    queued = await QueuedMessage.objects.aget()
    recipient = await Recipient.objects.aget()
    assert queued.envelope_id.startswith("case+2B7+3D")
    assert recipient.notify == "DELAY,FAILURE,SUCCESS"
    assert recipient.original == f"rfc822;{BOB}"


async def test_curl_sends_from_a_detail_what_it_did_not_date(
    server: Server,
    authority: Authority,
    alice: Person,
    app_password: str,
    tmp_path: Path,
) -> None:
    sender = BOB.replace("@", "+Case7@")
    letter = tmp_path / "letter.eml"
    letter.write_text(f"From: Bob <{sender}>\nTo: {alice.address}\n\nHello\n")
    await routes.refresh()

    done = await asyncio.to_thread(
        subprocess.run,
        [
            *("curl", "-sS", "--ssl-reqd", "--cacert", authority.ca_file, "--crlf"),
            f"smtp://localhost:{server.submission}",
            *("--user", f"{BOB}:{SECRET}", "--mail-from", sender),
            *("--mail-rcpt", alice.address, "--upload-file", letter),
        ],
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    message = await Message.objects.select_related("content", "mailbox").aget()
    header = HeaderBlock.parse(await sync_to_async(content.header)(message))
    assert message.mailbox.address == alice.address
    assert message.from_address == sender
    assert header.text("Date")
    assert header.text("Message-ID").endswith("@northfield.secure.example>")
