"""Clients that four tools generate from the OpenAPI document drive an integrator's day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests import migrated
from tests.journeys import generated_clients
from tests.journeys.generated_clients import PROGRAMS, PYTHON, Program
from tests.peers.curl import curl
from tests.peers.listener import Listener
from tests.peers.postern import Postern
from tests.peers.process import wait_until

pytestmark = pytest.mark.journey
DOMAIN = "northgate.secure.example"
JOB = "from api.tasks import tell_webhooks; tell_webhooks()"


def event_of(
    listener: Listener, secret: str, reference: str
) -> dict[str, object] | None:
    """Returns the event of a message, as the endpoint with that secret verifies it."""
    for body, headers in list(listener.calls):
        try:
            event: dict[str, object] = Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            continue
        if json.loads(body)["data"]["reference"] == reference:
            return event
    return None


def test_a_day_by_each_of_them(tmp_path: Path) -> None:
    demo = migrated.prepared(migrated.DEMO)
    with Postern(demo) as service, Listener() as listener:
        document = curl(f"{service.web}/api/v1/openapi.json").body
        (tmp_path / "openapi.json").write_bytes(document)
        assert generated_clients.generate(tmp_path) == []
        settings = {
            "site": service.web,
            "key": service.demo["api"]["key"],
            "domain": DOMAIN,
            "sender": f"ben@{DOMAIN}",
            "hook": listener.url,
        }
        programs = [
            Program.start(name, tmp_path, settings) for name in (PYTHON, *PROGRAMS)
        ]
        try:
            sent = [program.hear() for program in programs]
            # Rather than wait for the minute in which the service does it itself.
            subprocess.run(
                [sys.executable, "manage.py", "shell", "-c", JOB],
                env={**os.environ, **service.environment},
                check=True,
                capture_output=True,
                timeout=120,
            )
            for program, one in zip(programs, sent, strict=True):
                known = (listener, one["secret"], one["reference"])
                wait_until(
                    lambda known=known: event_of(*known) is not None, "the event", 90
                )
                program.tell(event_of(*known))
            assert [program.hear() for program in programs] == [{"done": True}] * 4
        finally:
            for program in programs:
                program.stop()
