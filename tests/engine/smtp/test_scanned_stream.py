from __future__ import annotations

import pytest

from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.interface import MAIL_HEADER
from engine.registry.models import Person
from tests.engine.smtp.conftest import Server
from tests.fakes import RecordingClamd


@pytest.mark.parametrize("port", ["receive", "submission"])
async def test_mail_by_smtp_is_heard_behind_our_header(
    server: Server,
    bob: Person,
    alice: Person,
    credential: str,
    app_password: str,
    recording_clamd: RecordingClamd,
    port: str,
) -> None:
    for context in server.contexts:
        context.scanner = message_scan.configured()
    dialogue, secret = {
        "receive": ("accepted", credential),
        "submission": ("as_himself", app_password),
    }[port]

    await server.run(port, dialogue, credential=secret)

    [heard] = recording_clamd.received
    assert heard.startswith(MAIL_HEADER + b"From: ")
    assert heard.endswith(b"\r\n\r\nGood morning\r\n")
