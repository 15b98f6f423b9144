from __future__ import annotations

import pytest
from django.test import Client

from engine.registry.models import Person
from tests import factories
from tests.portal.conftest import SignIn

PUBLIC = ["/", "/help/", "/privacy/", "/accessibility/", "/account/login/"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_opens_for_a_stranger(client: Client, db: None, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert b'<html lang="en"' in response.content


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_asks_the_database_nothing(
    client: Client, django_assert_num_queries, db: None, path: str
) -> None:
    with django_assert_num_queries(0):
        client.get(path)


def test_start_asks_for_sign_in(client: Client, db: None) -> None:
    assert client.get("/start/").url == "/account/login/?next=/start/"


def test_start_takes_staff_to_the_console(signed_in: SignIn, vera: Person) -> None:
    assert signed_in(vera, second_factor=True).get("/start/").url == "/admin/"


def test_start_takes_an_administrator_to_the_organisation(
    signed_in: SignIn, alice: Person
) -> None:
    assert signed_in(alice, second_factor=True).get("/start/").url == "/organisation/"


def test_start_takes_a_member_to_the_mail(signed_in: SignIn, bob: Person) -> None:
    assert signed_in(bob).get("/start/").url == "/mail/"


def test_start_takes_a_member_without_mail_to_the_account(
    signed_in: SignIn, firm
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)

    assert signed_in(jane).get("/start/").url == "/account/"


def test_navigation_shows_each_their_own_doors(
    signed_in: SignIn, alice: Person, vera: Person
) -> None:
    page = signed_in(alice, second_factor=True).get("/help/").content.decode()
    assert 'href="/mail/"' in page
    assert 'href="/organisation/"' in page
    assert 'href="/admin/"' not in page

    page = signed_in(vera, second_factor=True).get("/help/").content.decode()
    assert 'href="/admin/"' in page
    assert 'href="/organisation/"' not in page


def test_page_not_found_is_in_plain_words(client: Client, db: None) -> None:
    response = client.get("/nowhere/")

    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_policy_of_the_portal_admits_no_inline_script(client: Client, db: None) -> None:
    policy = client.get("/")["Content-Security-Policy"]

    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "default-src 'self'" in policy
    assert "'nonce-" in policy


def test_policy_of_the_admin_names_no_other_host(
    signed_in: SignIn, vera: Person
) -> None:
    policy = signed_in(vera, second_factor=True).get("/admin/")[
        "Content-Security-Policy"
    ]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
