"""Anyone who finds a vulnerability can find out where to report it (RFC 9116)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from pydantic import ValidationError

from portal.configuration.environment import Environment

ROOT = Path(__file__).parents[2]
SITE = "https://mail.justice.test"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.POSTERN, "web_url", SITE)


def fields(client: Client) -> list[tuple[str, str]]:
    response = client.get("/.well-known/security.txt")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    lines = response.content.decode().split("\r\n")
    assert lines.pop() == ""
    return [tuple(line.split(": ", 1)) for line in lines]


def test_the_file_says_what_programs_look_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = ["mailto:security@justice.test", "tel:+44-20-7946-0000"]
    monkeypatch.setattr(settings.POSTERN, "security_contacts", contacts)

    with time_machine.travel(datetime(2026, 11, 28, 19, 5, tzinfo=UTC), tick=False):
        said = fields(client)

    assert said == [
        ("Contact", contacts[0]),
        ("Contact", contacts[1]),
        ("Expires", "2027-05-27T00:00:00Z"),
        ("Preferred-Languages", "en"),
        ("Canonical", f"{SITE}/.well-known/security.txt"),
        ("Policy", f"{SITE}/security/"),
    ]


@pytest.mark.parametrize("days", [0, 400, 4000])
def test_it_never_expires_while_it_is_served(client: Client, days: int) -> None:
    now = datetime.now(UTC) + timedelta(days=days)
    with time_machine.travel(now, tick=False):
        expires = datetime.fromisoformat(dict(fields(client))["Expires"])

    assert timedelta(days=30) < expires - now < timedelta(days=365)


def test_without_a_contact_it_names_the_form_that_strangers_have(
    client: Client,
) -> None:
    contact = dict(fields(client))["Contact"]

    assert contact == f"{SITE}/help/ask/"
    assert client.get("/help/ask/").status_code == 200


def test_every_page_leads_to_how_it_is_reported(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "security_contacts", ["tel:+442079460000"])

    assert b'href="/security/"' in client.get("/privacy/").content
    page = client.get("/security/").content.decode()
    assert 'href="tel:+442079460000">+442079460000</a>' in page


@pytest.mark.parametrize(
    "contact",
    [
        "security@justice.test",
        "http://justice.test/",
        "mailto:a@b.test\r\nPolicy: x",
        "mailto:a b@c.test",
    ],
)
def test_a_contact_that_is_no_uri_is_refused_at_the_start(contact: str) -> None:
    with pytest.raises(ValidationError, match="POSTERN_SECURITY_CONTACTS"):
        Environment(security_contacts=[contact])


def test_the_policy_says_how_to_report_and_what_is_supported() -> None:
    text = (ROOT / "SECURITY.md").read_text()

    for heading in (
        "Report a vulnerability",
        "What is covered",
        "Supported versions",
    ):
        assert f"## {heading}" in text
    named = re.findall(r"`((?:portal|engine|tests|api|onboarding)/[\w/.]+)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
