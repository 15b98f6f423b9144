"""Every screen of sign-in, the public site, the organisation pages and the console."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from engine.antivirus.models import QuarantinedMessage
from engine.registry import mailbox_openings
from engine.registry.actions import connections, people
from engine.registry.mailbox_openings import OpeningMethod
from engine.registry.models import Connection, Organisation, Person, RoleName
from engine.trace.models import Event
from portal.home.models import NoticeKind, ServiceNotice
from portal.sessions import sign_in_attempts
from tests import factories
from tests.portal import screens, walks
from tests.portal.conftest import SignIn, give_app, make_session

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def use_session(page: Page, client: Client, url: str) -> None:
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])


def check_screens(page: Page, url: str, *paths: str) -> None:
    found = [fault for path in paths for fault in screens.faults(page, url + path)]
    assert found == []


def test_stranger(page: Page, live_server) -> None:
    check_screens(
        page,
        live_server.url,
        *walks.STRANGER,
        "/account/password/reset/key/1-wrong/",
    )
    assert list(screens.faults(page, live_server.url + "/nowhere/", 404)) == []


def test_somebody_who_failed_too_often(page: Page, live_server, bob: Person) -> None:
    for _ in range(sign_in_attempts.ADDRESS_LIMIT):
        wrong = {"login": bob.address, "password": "not the password"}
        Client().post("/account/login/", wrong)
    page.goto(live_server.url + "/account/login/")
    page.get_by_label("Secure email address").fill(bob.address)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_text("You can try again in 15 minutes")).to_be_visible()
    assert list(screens.faults_at_width(page, screens.WIDE)) == []


def test_failed_sign_in(page: Page, live_server) -> None:
    page.goto(live_server.url + "/account/login/")
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page).to_have_title(re.compile("^Error: "))
    expect(
        page.get_by_role("link", name="Enter your secure email address")
    ).to_be_visible()
    assert list(screens.faults_at_width(page, screens.WIDE)) == []


def test_second_step_of_signing_in(page: Page, live_server, bob: Person) -> None:
    give_app(bob)
    page.goto(live_server.url + "/account/login/")
    page.get_by_label("Secure email address").fill(bob.address)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", name="Check that it is you")).to_be_visible()
    assert list(screens.faults_at_width(page, screens.WIDE)) == []


def test_member(
    page: Page, live_server, signed_in: SignIn, bob: Person, alice: Person
) -> None:
    team = factories.make_group_mailbox(
        "listing@northfield.secure.example", bob.organisation, name="Listing office"
    )
    factories.make_grant(team, bob, can_read=True)
    for mailbox in (team, bob.mailbox):
        mailbox_openings.note(mailbox, by=alice, method=OpeningMethod.WEBMAIL)
    made, _ = people.add_app_password(bob, name="Outlook at work", by=bob)
    passkey = Authenticator.objects.create(
        user=bob, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"}
    )
    use_session(page, signed_in(bob, second_factor=True), live_server.url)
    other = make_session(bob)
    check_screens(
        page,
        live_server.url,
        *walks.MEMBER,
        f"/account/openings/{team.pk}/",
        f"/account/sessions/{other.public_id}/end/",
        f"/account/app-passwords/{made.pk}/revoke/",
        f"/account/second-factor/passkeys/{passkey.pk}/edit/",
        f"/account/second-factor/passkeys/{passkey.pk}/remove/",
    )


def test_member_makes_an_app_password(
    page: Page, live_server, signed_in: SignIn, bob: Person
) -> None:
    use_session(page, signed_in(bob), live_server.url)
    page.goto(live_server.url + "/account/app-passwords/")
    page.get_by_label("Name of the device or program").fill("Outlook at work")
    page.get_by_role("button", name="Make the app password").click()

    expect(page.get_by_text("It is not shown again")).to_be_visible()
    assert list(screens.faults_at_width(page, screens.WIDE)) == []


def test_administrator_sets_up_a_second_factor(
    page: Page, live_server, signed_in: SignIn, alice: Person
) -> None:
    use_session(page, signed_in(alice), live_server.url)
    check_screens(page, live_server.url, *walks.NEW_ADMINISTRATOR)


def test_somebody_who_must_show_it_again(
    page: Page, live_server, signed_in: SignIn, alice: Person
) -> None:
    client = signed_in(alice)
    give_app(alice)
    Authenticator.objects.create(
        user=alice, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"}
    )
    use_session(page, client, live_server.url)
    check_screens(page, live_server.url, "/account/second-factor/reauthenticate/")


def test_passkey_is_added_and_signs_in(
    page: Page, live_server, signed_in: SignIn, alice: Person
) -> None:
    url = live_server.url.replace("127.0.0.1", "localhost")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    use_session(page, signed_in(alice), url)
    page.goto(url + "/organisation/")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_label("Name of the passkey").fill("Work phone")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert list(screens.faults_at_width(page, screens.WIDE)) == []
    page.get_by_role("button", name="continue").click()
    page.get_by_role("heading", name="Overview").wait_for()

    page.get_by_role("button", name="Sign out").click()
    page.goto(url + "/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    page.get_by_role("heading", name="Overview").wait_for()


def test_administrator(
    page: Page,
    live_server,
    signed_in: SignIn,
    firm: Organisation,
    firm_connection: Connection,
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    ada = factories.make_person(
        "ada@firm.example.secure.example", firm, name="Ada", password=None
    )
    factories.make_group_mailbox("duty@firm.example.secure.example", firm)
    connections.add_credential(firm_connection, by=None)
    made, _ = people.add_app_password(ada, name="Outlook at work", by=ada)
    session = make_session(ada)
    use_session(page, signed_in(jane, second_factor=True), live_server.url)
    check_screens(
        page,
        live_server.url,
        *(f"/organisation/{firm.pk}/{path}" for path in walks.ADMINISTRATOR),
        *(
            f"/organisation/{firm.pk}/people/{person.pk}/{act}"
            for person, act in (
                (jane, ""),
                (ada, ""),
                (ada, "sign-in/"),
                (ada, "edit/"),
                (ada, "sessions/"),
                (ada, "sessions/everywhere/"),
                (ada, f"sessions/{session.public_id}/end/"),
                (ada, f"app-passwords/{made.pk}/end/"),
            )
        ),
    )


@pytest.mark.parametrize(
    "role", [RoleName.OPERATOR, RoleName.AUDITOR, RoleName.VETTING_OFFICER]
)
def test_staff(page: Page, live_server, signed_in: SignIn, role: RoleName) -> None:
    person = factories.make_person("sam@secure.example", name="Sam")
    factories.make_staff(person, role)
    ServiceNotice.objects.create(kind=NoticeKind.WORK, title="Upgrade on Sunday")
    for number in range(3):
        Event.objects.create(
            reference=f"R{number}",
            recipient="jane@firm.example.secure.example",
            kind="failed",
            at=timezone.now(),
            detail={"reply": "550 5.1.1 There is no such address"},
        )
        QuarantinedMessage.objects.create(
            reference=f"R{number}",
            signature="Win.Test.EICAR_HDB-1",
            scanner="clamd",
            size=68,
            digest="0",
            path="x",
        )
        people.add_app_password(person, name="x", by=person)
    use_session(page, signed_in(person, second_factor=True), live_server.url)
    paths = {
        RoleName.OPERATOR: walks.OPERATOR,
        RoleName.AUDITOR: walks.AUDITOR,
        RoleName.VETTING_OFFICER: walks.OFFICER,
    }
    check_screens(page, live_server.url, *paths[role])
