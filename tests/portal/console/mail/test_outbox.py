from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from engine.registry.models import Person
from tests.portal.conftest import SignIn

NOTICE = (
    b"X-Envelope-To: jane@everyday.example\r\n"
    b"From: Postern <notices@secure.example>\r\n"
    b"To: jane@everyday.example\r\n"
    b"Subject: =?utf-8?q?Caf=C3=A9?=\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n"
    b"Hello <b>Jane</b>\r\n"
)
HTML_ONLY = (
    b"Subject: HTML\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
    b"<script>alert(1)</script>\r\n"
)


@pytest.fixture
def outbox() -> Iterator[Path]:
    folder = settings.POSTERN.path("outbox")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture
def operator_client(signed_in: SignIn, olive: Person) -> Client:
    return signed_in(olive, second_factor=True)


def test_notices_are_listed(outbox: Path, operator_client: Client) -> None:
    (outbox / "one.eml").write_bytes(NOTICE)

    page = operator_client.get("/admin/outbox/").content.decode()

    assert "Café" in page
    assert "jane@everyday.example" in page


def test_empty_outbox_says_so(operator_client: Client) -> None:
    assert "No notices yet" in operator_client.get("/admin/outbox/").content.decode()


def test_notice_is_shown_as_text(outbox: Path, operator_client: Client) -> None:
    (outbox / "one.eml").write_bytes(NOTICE)

    page = operator_client.get("/admin/outbox/one.eml/").content.decode()

    assert "Hello &lt;b&gt;Jane&lt;/b&gt;" in page


def test_html_is_never_shown(outbox: Path, operator_client: Client) -> None:
    (outbox / "one.eml").write_bytes(HTML_ONLY)

    assert (
        "alert(1)" not in operator_client.get("/admin/outbox/one.eml/").content.decode()
    )


@pytest.mark.parametrize("name", ["none.eml", "..%2Fpostern.sqlite3", ".eml", "%00"])
def test_other_names_are_not_found(
    outbox: Path, operator_client: Client, name: str
) -> None:
    assert operator_client.get(f"/admin/outbox/{name}/").status_code == 404


def test_garbage_does_no_harm(outbox: Path, operator_client: Client) -> None:
    (outbox / "one.eml").write_bytes(b"\xff\x00\r\r\n\n: \x80" * 100)

    assert operator_client.get("/admin/outbox/").status_code == 200
    assert operator_client.get("/admin/outbox/one.eml/").status_code == 200
