"""The README's curl commands against a running server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.registry.credentials import generated_secrets
from engine.registry.models import Person
from engine.registry.scopes import Scope
from tests import factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_letter_with_a_file_is_sent_and_followed(
    live_server, bob: Person, charlie: Person, tmp_path: Path
) -> None:
    secret = generated_secrets.new_secret()
    scopes = [one for one in Scope if not one.is_community_wide]
    factories.make_api_key(
        bob.organisation, generated_secrets.digest(secret), *map(str, scopes)
    )
    bundle = tmp_path / "bundle.txt"
    bundle.write_text("One\n")

    def curl(path: str, *more: str) -> Any:
        header = f"Authorization: Bearer {secret}"
        command = [
            "curl",
            "-s",
            "-H",
            header,
            *more,
            f"{live_server.url}/api/v1/{path}",
        ]
        done = subprocess.run(command, capture_output=True, check=True, timeout=30)
        return json.loads(done.stdout)

    mailbox = curl(f"mailboxes/?address={bob.address}")["results"][0]["id"]
    letter = {
        "mailbox": mailbox,
        "to": [charlie.address],
        "subject": "Listing",
        "text": "At ten.",
    }
    send = ("-H", "Idempotency-Key: 1", "-F", f"message={json.dumps(letter)}")
    sent = curl("messages/", *send, "-F", f"files=@{bundle}")
    copy = curl(f"messages/{sent['id']}/")
    trace = curl(f"traces/{sent['reference']}/")

    assert copy["attachments"][0]["name"] == "bundle.txt"
    assert [step["kind"] for step in trace["steps"]] == ["received", "delivered"]
    assert curl("messages/0/")["status"] == 404
