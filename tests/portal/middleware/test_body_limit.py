from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from engine.registry.models import Person
from portal.middleware import body_limit
from tests.portal.conftest import SignIn


def test_a_strangers_large_body_is_refused_before_it_is_read(
    client: Client, db: None
) -> None:
    class Unread:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    response = client.generic(
        "POST",
        "/apply/email/",
        **{
            "CONTENT_LENGTH": str(body_limit.STRANGERS + 1),
            "wsgi.input": Unread(),
        },
    )

    assert response.status_code == 413
    assert "That is too large" in response.content.decode()


def test_a_form_of_words_passes(client: Client, db: None) -> None:
    response = client.post("/apply/email/", {"address": "x" * 1000})

    assert response.status_code == 200


@pytest.mark.parametrize(("over", "code"), [(0, 302), (1, 413)])
def test_a_member_sends_as_much_as_a_message_may_hold(
    signed_in: SignIn, bob: Person, over: int, code: int
) -> None:
    most = settings.POSTERN.message_size_limit * 5 // 4

    response = signed_in(bob).generic(
        "POST", "/account/logout/", CONTENT_LENGTH=str(most + over)
    )

    assert response.status_code == code
