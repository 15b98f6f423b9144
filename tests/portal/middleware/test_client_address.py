from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from portal.middleware.client_address import ClientAddressMiddleware

PROXY, FRONT, VISITOR = "10.0.0.2", "10.0.0.3", "203.0.113.9"


@pytest.fixture(autouse=True)
def _our_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        settings.POSTERN, "trusted_proxies", [ip_network("10.0.0.0/28")]
    )


def request_in_view(peer: str, **said: str) -> HttpRequest:
    """Returns the request as views see it."""
    kept: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        kept.append(request)
        return HttpResponse()

    ClientAddressMiddleware(view)(RequestFactory().get("/", REMOTE_ADDR=peer, **said))
    return kept[0]


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (VISITOR, VISITOR),
        (f"198.51.100.1, {VISITOR}", VISITOR),
        (f"{VISITOR}, {FRONT}", VISITOR),
        (f"::ffff:{VISITOR}", VISITOR),
        ("2001:db8::9", "2001:db8::9"),
        ("unknown", PROXY),
        (f"{VISITOR}, nonsense", PROXY),
        ("", PROXY),
    ],
)
def test_our_proxy_says_who_the_visitor_is(said: str, address: str) -> None:
    request = request_in_view(PROXY, HTTP_X_FORWARDED_FOR=said)

    assert request.META["REMOTE_ADDR"] == address


def test_nobody_else_is_believed() -> None:
    request = request_in_view(
        VISITOR, HTTP_X_FORWARDED_FOR="192.0.2.1", HTTP_X_FORWARDED_PROTO="https"
    )

    assert request.META["REMOTE_ADDR"] == VISITOR
    assert "HTTP_X_FORWARDED_FOR" not in request.META
    assert "HTTP_X_FORWARDED_PROTO" not in request.META


def test_our_proxy_is_believed_about_https() -> None:
    request = request_in_view(PROXY, HTTP_X_FORWARDED_PROTO="https")

    assert request.META["HTTP_X_FORWARDED_PROTO"] == "https"
