"""Rules for headers that tests/permissions cannot check.

Tests there apply tests/security/headers.py to every response for every visitor.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings as configured
from django.http import HttpResponse
from django.test import Client

from engine.registry.models import Organisation, Person
from tests.api.conftest import Key, key
from tests.portal.conftest import SignIn, signed_in
from tests.security import headers

__all__ = ["key", "signed_in"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/privacy/", "/cookies/", "/status/"])
def test_a_public_page_may_be_kept_by_a_visitor_without_a_session(
    client: Client, path: str
) -> None:
    response = client.get(path)

    assert response["Cache-Control"] == "no-cache"
    assert "Cookie" in response["Vary"]


def test_the_same_page_is_kept_by_nobody_once_somebody_signed_in(
    signed_in: SignIn, bob: Person
) -> None:
    response = signed_in(bob).get("/privacy/")

    assert "no-store" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]


@pytest.mark.parametrize(
    "path",
    [
        "/account/password/reset/key/1-abc/",
        "/apply/link/abc/",
        "/apply/letter/abc/",
        "/apply/first-sign-in/abc/",
        "/help/follow/abc/",
        "/organisation/shared/abc/",
        "/guides/comment/abc/",
        "/nowhere/at/all/",
    ],
)
def test_an_address_that_is_a_secret_is_kept_by_nobody(
    client: Client, path: str
) -> None:
    response = client.get(path)

    assert "no-store" in response["Cache-Control"]


def test_what_a_key_reads_is_kept_by_nobody(key: Key, northfield: Organisation) -> None:
    assert "no-store" in key(northfield)("GET", "/organisations/")["Cache-Control"]
    made = key(northfield)(
        "POST", "/webhooks/", {"url": "https://8.8.8.8/", "events": ["message.failed"]}
    )
    assert made.json()["secret"]
    assert "no-store" in made["Cache-Control"]


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_answer_to_an_act_is_kept_by_nobody(client: Client, method: str) -> None:
    assert "no-store" in getattr(client, method)("/privacy/")["Cache-Control"]


def test_styles_and_scripts_are_kept_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postern.0123456789ab.css").write_text("a{}")
    monkeypatch.setattr(configured, "STATIC_ROOT", str(tmp_path))

    response = Client().get("/static/postern.0123456789ab.css")
    response.close()

    assert response.status_code == 200
    assert "max-age" in response["Cache-Control"]
    assert "no-store" not in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_production_asks_browsers_to_stay_on_https(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(configured, "SECURE_HSTS_SECONDS", 31_536_000)
    monkeypatch.setattr(configured, "SECURE_HSTS_INCLUDE_SUBDOMAINS", True)
    monkeypatch.setattr(configured, "SECURE_SSL_REDIRECT", True)

    secure = Client().get("/privacy/", secure=True)
    plain = Client().get("/privacy/")

    assert secure["Strict-Transport-Security"] == (
        "max-age=31536000; includeSubDomains"
    )
    assert plain.status_code == 301
    assert plain["Location"].startswith("https://")


def test_the_rules_find_what_is_missing() -> None:
    bare = HttpResponse("x")
    bare.set_cookie("sessionid", "1")

    found = "\n".join(headers.faults(bare, "mail/", is_stranger=False, is_public=False))

    for missing in (
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "no content security policy",
        "into a frame",
        "requests of other sites",
        "read the session",
        "vary by cookie",
        "nothing is said",
    ):
        assert missing in found
