"""What EHLO offers is true, and clients with a TLS that is too old hear why."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import socket
import ssl
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.errors import MailError
from engine.routing.routes import RouteKind
from engine.smtp.mail_transaction import RECIPIENT_LIMIT, MailTransaction
from engine.trace.models import StrangerCount
from tests.engine.smtp.conftest import Server

ALWAYS = {
    "size": "1000000",
    "pipelining": "",
    "8bitmime": "",
    "smtputf8": "",
    "enhancedstatuscodes": "",
    "dsn": "",
    "chunking": "",
    "limits": f"RCPTMAX={RECIPIENT_LIMIT}",
}
TOO_OLD = "nothing newer than TLS 1.1"


@pytest.mark.parametrize(
    ("port", "mechanisms"),
    [("receive", " PLAIN LOGIN"), ("submission", " SCRAM-SHA-256 PLAIN LOGIN")],
)
async def test_what_is_offered_in_clear_and_inside_tls(
    server: Server, port: str, mechanisms: str
) -> None:
    def talk() -> list[dict[str, str]]:
        with smtplib.SMTP("localhost", getattr(server, port), timeout=20) as client:
            client.ehlo()
            clear = dict(client.esmtp_features)
            client.starttls(context=server.context)
            client.ehlo()
            return [clear, dict(client.esmtp_features)]

    clear, secure = await asyncio.to_thread(talk)

    assert clear == {**ALWAYS, "starttls": ""}
    assert secure == {**ALWAYS, "requiretls": "", "auth": mechanisms}


def test_as_many_recipients_as_are_told_are_taken() -> None:
    transaction = MailTransaction()

    def add(number: int) -> None:
        address = Address(f"r{number}", "northfield.secure.example")
        route = SimpleNamespace(address=address, kind=RouteKind.MAILBOX)
        transaction.add(cast(Any, route), {})

    for number in range(RECIPIENT_LIMIT):
        add(number)
    with pytest.raises(MailError) as refused:
        add(RECIPIENT_LIMIT)
    assert refused.value.reply == smtp_replies.TOO_MANY_RECIPIENTS


def old_tls() -> ssl.SSLContext:
    """A client's context that knows TLS 1.1 and nothing newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("port", ["receive", "submissions"])
async def test_a_client_with_an_old_tls_hears_why(
    server: Server, port: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "engine.network")
    context = old_tls()

    def shake() -> None:
        with socket.create_connection(("127.0.0.1", getattr(server, port)), 20) as raw:
            if port == "receive":
                raw.recv(1000)
                raw.sendall(b"STARTTLS\r\n")
                raw.recv(1000)
            context.wrap_socket(raw)

    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        await asyncio.to_thread(shake)

    assert f"TLS with 127.0.0.1 failed: it offers {TOO_OLD}" in caplog.text
    if port == "receive":
        [context_of_port, _] = server.contexts
        refusals = context_of_port.refusals
        refusals._counted_at -= 60.0
        await refusals.write(context_of_port.threads)
        counted = await StrangerCount.objects.aget()
        assert TOO_OLD in counted.last_reply
