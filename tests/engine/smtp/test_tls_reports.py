"""A member's server hands in a TLS report, which the scanner and the file rules let pass."""

from __future__ import annotations

import asyncio
import smtplib

from engine.queue.models import Recipient
from engine.routing import routes
from tests.engine.smtp.conftest import SECRET, Server
from tests.tls_reports import message, packed, report

JANE, TO = "jane@firm.example", "TLS-Reports@secure.example"


async def test_a_report_is_accepted(server: Server, credential: str) -> None:
    await routes.refresh()

    def send() -> None:
        with smtplib.SMTP("localhost", server.receive, timeout=20) as client:
            client.starttls(context=server.context)
            client.login("firm", SECRET)
            client.sendmail(JANE, TO, message(packed(report())))

    await asyncio.to_thread(send)

    queued = await Recipient.objects.aget()
    assert queued.destination == "tls_reports"
