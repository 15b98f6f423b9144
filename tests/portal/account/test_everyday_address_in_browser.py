"""The screens of a recovery: the owner's, the administrators' and the console's."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from engine.registry.actions import api_keys, people, recovery, shut_mail
from engine.registry.models import Organisation, Person
from engine.registry.scopes import Scope
from onboarding import signed_links
from portal.account_admin.actions import (
    disown_factor_reset,
    reset_second_factor,
    stop_factor_reset,
)
from tests import factories
from tests.portal import screens
from tests.portal.conftest import SignIn, give_app
from tests.portal.test_accessibility import check_screens, use_session

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def refusal_token(
    northfield: Organisation, bob: Person, alice: Person, hugh: Person
) -> str:
    """Every request that can be pending about Bob, and an API key.

    Returns the token in the link of the address change's notice.
    """
    give_app(bob)
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@home.example")
    bob.refresh_from_db()
    change = recovery.request_address_change(
        bob, address="bob@new.example", reason="Changed provider", by=hugh
    )
    reset_second_factor(bob, reason="Lost the phone", by=hugh)
    scopes = [Scope.READ_MESSAGES]
    api_keys.add(northfield, name="Case system", scopes=scopes, by=alice)
    return signed_links.address_change_token(change.pk)


def test_owner(
    page: Page,
    live_server,
    signed_in: SignIn,
    bob: Person,
    alice: Person,
    refusal_token: str,
) -> None:
    use_session(page, signed_in(bob, second_factor=True), live_server.url)
    own = "/account/everyday-address/"
    check_screens(page, live_server.url, "/account/", own, f"{own}change/")
    check_screens(page, live_server.url, f"{own}refuse/{refusal_token}/")

    recovery.refuse_address_change(bob.address_changes.get(), by=bob)
    shut_mail.shut_after_factor_reset(bob, by=alice, agreed_by=None)

    check_screens(page, live_server.url, own, f"{own}refuse/{refusal_token}/")
    assert list(screens.faults(page, f"{live_server.url}/mail/", 403)) == []


def test_owner_says_no_to_a_reset(
    page: Page,
    live_server,
    signed_in: SignIn,
    bob: Person,
    alice: Person,
    refusal_token: str,
) -> None:
    use_session(page, signed_in(bob, second_factor=True), live_server.url)
    asked = bob.factor_resets.get()
    own, link = "/account/second-factor/reset/", signed_links.factor_reset_token
    check_screens(page, live_server.url, f"{own}{asked.pk}/", "/account/sessions/")
    stop_factor_reset(asked, by=None)
    check_screens(page, live_server.url, f"{own}link/{link(asked.pk)}/")

    reset_second_factor(bob, reason="Phone stolen on the train", by=alice)
    done = bob.factor_resets.exclude(pk=asked.pk).get()
    path = f"{own}link/{link(done.pk)}/"
    check_screens(page, live_server.url, path)
    use_session(page, signed_in(bob), live_server.url)
    check_screens(page, live_server.url, "/account/", f"{own}{done.pk}/")
    disown_factor_reset(done, by=None)

    check_screens(page, live_server.url, path)


def test_administrator(
    page: Page,
    live_server,
    signed_in: SignIn,
    bob: Person,
    alice: Person,
    refusal_token: str,
) -> None:
    address = "jo@northfield.secure.example"
    new = people.add(bob.organisation, address=address, name="Jo Field", by=alice)
    shut_mail.shut_after_factor_reset(bob, by=alice, agreed_by=None)
    use_session(page, signed_in(alice, second_factor=True), live_server.url)
    at = f"/organisation/{bob.organisation_id}/"
    change = bob.address_changes.get()
    check_screens(
        page,
        live_server.url,
        f"{at}people/",
        f"{at}people/recovery/",
        f"{at}people/recovery/address/{change.pk}/agree/",
        f"{at}people/{bob.pk}/",
        f"{at}people/{bob.pk}/second-factor/",
        f"{at}people/{alice.pk}/",
        f"{at}people/{new.pk}/",
        f"{at}people/{new.pk}/letter/",
        f"{at}people/{new.pk}/address/",
        f"{at}api/",
    )


def test_staff(
    page: Page,
    live_server,
    signed_in: SignIn,
    bob: Person,
    alice: Person,
    refusal_token: str,
) -> None:
    agent = factories.make_person("hana@secure.example", name="Hana")
    factories.make_staff(agent, "helpdesk_agent")
    shut_mail.shut_after_factor_reset(bob, by=alice, agreed_by=None)
    use_session(page, signed_in(agent, second_factor=True), live_server.url)
    reset = bob.factor_resets.get()
    check_screens(
        page,
        live_server.url,
        "/admin/people/recovery/",
        f"/admin/people/recovery/factor/{reset.pk}/agree/",
        f"/admin/people/{bob.pk}/",
        f"/admin/people/{bob.pk}/address/",
        f"/admin/people/{bob.pk}/second-factor/",
    )
