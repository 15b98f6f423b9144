"""Members cannot reach the console, by Wagtail's own URLs included."""

from __future__ import annotations

import pytest
from django.test import Client

from engine.registry.models import Person
from tests.portal.conftest import SignIn, signed_in

__all__ = ["signed_in"]

pytestmark = pytest.mark.django_db

ADDRESSES = [
    "/admin/",
    "/admin/login/",
    "/admin/logout/",
    "/admin/password_reset/",
    "/admin/account/",
    "/admin/pages/",
    "/admin/images/",
    "/admin/images/chooser/",
    "/admin/documents/",
    "/admin/documents/chooser/",
    "/admin/api/main/pages/",
    "/admin/jsi18n/",
    "/admin/sprite/",
    "/admin/users/",
    "/admin/reports/site-history/",
    "/admin/queue/",
    "/admin/organisations/",
    "/admin/nowhere/",
]


@pytest.mark.parametrize("name", ["bob", "alice", "charlie"])
def test_a_member_or_administrator_is_told_that_nothing_is_there(
    name: str, signed_in: SignIn, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(name), second_factor=True)

    for path in ADDRESSES:
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 404, path
            assert b"wagtail" not in answer.content.lower(), path
            assert b"Page not found" in answer.content, path


def test_a_visitor_is_led_to_sign_in(client: Client) -> None:
    answer = client.get("/admin/pages/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/account/login/?next=/admin/pages/")


def test_staff_go_on_as_before(signed_in: SignIn, olive: Person) -> None:
    client = signed_in(olive, second_factor=True)

    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/sprite/").status_code == 200
