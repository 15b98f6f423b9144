"""REQUIRETLS from clients (RFC 8689 §2): smtplib and aiosmtplib."""

from __future__ import annotations

import asyncio
import smtplib

import aiosmtplib

from engine.queue.models import QueuedMessage
from engine.registry.models import Person
from engine.routing import routes
from tests.engine.smtp.conftest import SECRET, Server

JANE = "jane@firm.example"
LETTER = f"From: {JANE}\r\nMessage-ID: <1@firm.example>\r\n\r\nHello\r\n"


async def test_the_parameter_is_kept_with_the_message(
    server: Server, bob: Person, credential: str
) -> None:
    await routes.refresh()

    def send() -> list[tuple[int, bytes]]:
        with smtplib.SMTP("localhost", server.receive, timeout=20) as client:
            client.ehlo()
            refused = [client.docmd("MAIL", f"FROM:<{JANE}> REQUIRETLS")]
            client.starttls(context=server.context)
            client.login("firm", SECRET)
            client.ehlo()
            refused.append(client.docmd("MAIL", f"FROM:<{JANE}> REQUIRETLS=YES"))
            client.sendmail(JANE, bob.address, LETTER, ["REQUIRETLS"])
            # Once more, as after a lost reply; and as who hears 5.7.30 does.
            client.sendmail(JANE, bob.address, LETTER, ["REQUIRETLS"])
            client.sendmail(JANE, bob.address, LETTER)
            return refused

    in_clear, with_value = await asyncio.to_thread(send)

    assert in_clear[0] == 530
    assert in_clear[1].startswith(b"5.7.0")
    assert with_value == (501, b"5.5.4 REQUIRETLS takes no value")
    kept = QueuedMessage.objects.order_by("pk").values_list("requires_tls", flat=True)
    assert [one async for one in kept] == [True, False]


async def test_a_person_submits_with_it(
    server: Server, bob: Person, app_password: str
) -> None:
    await routes.refresh()

    await aiosmtplib.send(
        f"From: {bob.address}\r\n\r\nHello\r\n",
        sender=bob.address,
        recipients=[bob.address],
        mail_options=["REQUIRETLS"],
        hostname="localhost",
        port=server.submissions,
        use_tls=True,
        tls_context=server.context,
        username=bob.address,
        password=SECRET,
    )

    kept = await QueuedMessage.objects.aget()
    assert kept.requires_tls
