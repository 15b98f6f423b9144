from __future__ import annotations

from datetime import time

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from engine.registry.models import Person
from onboarding.models import Application, Audience, Terms
from tests import factories
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn

PUBLIC = [
    "/",
    "/help/",
    "/server-or-webmail/",
    "/privacy/",
    "/cookies/",
    "/accessibility/",
    "/security/",
    "/account/login/",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_opens_for_a_stranger(client: Client, db: None, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert b'<html lang="en"' in response.content


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_asks_the_database_for_notices_at_most(
    client: Client, django_assert_num_queries, db: None, path: str
) -> None:
    shows_notices = path in ("/", "/help/")

    with django_assert_num_queries(int(shows_notices)):
        client.get(path)


def test_help_says_whether_the_helpdesk_is_open(client: Client, db: None) -> None:
    for moment, said in (
        ("2026-11-23 10:00Z", "Open now, until 7pm"),
        ("2026-12-25 10:00Z", "Closed now. Opens Tuesday 29 December at 8am"),
    ):
        with time_machine.travel(moment, tick=False):
            for path in ("/", "/help/"):
                assert said in client.get(path).content.decode()
    assert "bank holidays in England and Wales" in client.get("/help/").content.decode()


def test_hours_on_every_page_are_those_of_the_settings(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "helpdesk_opens", time(9, 30))

    for path in ("/help/", "/privacy/"):
        assert "Monday to Friday, 9:30am to 7pm" in client.get(path).content.decode()


def test_terms_are_those_in_force(client: Client, db: None) -> None:
    Terms.objects.all().delete()
    assert "No terms have been published" in client.get("/terms/").content.decode()
    for version in (1, 2):
        Terms.objects.create(
            audience=Audience.ORGANISATION,
            version=version,
            text=f"# Clause {version}\n\nKeep it <safe>.",
        )

    page = client.get("/terms/").content.decode()

    assert "1. Clause 2" in page
    assert "Clause 1" not in page
    assert "Keep it &lt;safe&gt;." in page


def test_every_cookie_that_we_set_is_told(
    client: Client, signed_in: SignIn, bob: Person
) -> None:
    page = client.get("/cookies/").content.decode()
    client.get("/account/login/")
    signed_in(bob).get("/account/app-passwords/")
    browser = Client()
    browser.post("/account/login/", {"login": bob.address, "password": PASSWORD})

    listed = (*client.cookies, *browser.cookies, "messages")
    assert "known_browser" in listed
    assert all(f">{name}</th>" in page for name in listed)


def test_start_asks_for_sign_in(client: Client, db: None) -> None:
    assert client.get("/start/").url == "/account/login/?next=/start/"


def test_start_takes_staff_to_the_console(signed_in: SignIn, vera: Person) -> None:
    assert signed_in(vera, second_factor=True).get("/start/").url == "/admin/"


def test_start_takes_an_administrator_to_the_organisation(
    signed_in: SignIn, alice: Person
) -> None:
    assert signed_in(alice, second_factor=True).get("/start/").url == "/organisation/"


@pytest.mark.parametrize(
    ("is_sole", "colleagues", "place"),
    [(True, 0, "/mail/"), (True, 1, "/organisation/"), (False, 0, "/organisation/")],
)
def test_start_takes_whoever_works_alone_to_the_mail(
    signed_in: SignIn, alice: Person, is_sole: bool, colleagues: int, place: str
) -> None:
    organisation = alice.organisation
    Application.objects.create(organisation=organisation, is_sole_user=is_sole)
    for number in range(colleagues):
        factories.make_person(f"c{number}@northfield.secure.example", organisation)

    assert signed_in(alice, second_factor=True).get("/start/").url == place


def test_start_takes_a_member_to_the_mail(signed_in: SignIn, bob: Person) -> None:
    assert signed_in(bob).get("/start/").url == "/mail/"


def test_start_takes_a_member_without_mail_to_the_directory(
    signed_in: SignIn, firm
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)

    assert signed_in(jane).get("/start/").url == "/directory/"


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


@pytest.mark.parametrize("path", ["/help/", "/guides/search/"])
def test_navigation_tells_that_guides_are_part_of_help(
    client: Client, db: None, path: str
) -> None:
    page = client.get(path).content.decode()

    assert page.count('aria-current="true"') == 1
    assert 'href="/help/" aria-current="true"' in page


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
