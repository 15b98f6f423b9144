"""The directory's screens: axe at two widths, and the keyboard."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from engine.registry.actions import people
from engine.registry.models import Person
from tests import factories
from tests.portal import screens, walks
from tests.portal.conftest import SignIn

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def sign_in_browser(page: Page, url: str, person: Person, signed_in: SignIn) -> None:
    client = signed_in(person, second_factor=True)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])


def test_every_screen(
    page: Page,
    live_server,
    signed_in: SignIn,
    alice: Person,
    bob: Person,
    charlie: Person,
) -> None:
    team = factories.make_group_mailbox(
        "a.very.long.name.of.a.team@northfield.secure.example", alice.organisation
    )
    made = factories.make_list(
        "panel@northfield.secure.example", alice.organisation, bob.address
    )
    people.edit(
        bob, is_ex_directory=True, job_title="Clerk", phone="020 7946 0000", by=alice
    )
    sign_in_browser(page, live_server.url, alice, signed_in)

    paths = [
        *walks.SEARCHER,
        "/directory/?q=north",
        "/directory/?q=zzz",
        f"/directory/people/{bob.pk}/",
        f"/directory/lists/{made.pk}/",
        f"/directory/group-mailboxes/{team.pk}/",
        f"/directory/organisations/{alice.organisation_id}/",
    ]
    found = [f for path in paths for f in screens.faults(page, live_server.url + path)]

    assert found == []


def test_a_person_is_found_with_the_keyboard_alone(
    page: Page,
    live_server,
    signed_in: SignIn,
    bob: Person,
    charlie: Person,
) -> None:
    sign_in_browser(page, live_server.url, bob, signed_in)
    page.goto(live_server.url + "/directory/")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("charl")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Charlie", exact=True)
    link.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Charlie")).to_be_visible()
