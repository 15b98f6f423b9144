"""Sessions are listed and ended by their owner and by those with permission."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from engine.audit.models import Entry, SignInTally
from engine.registry import tasks
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.credentials.sign_in_tally import tally
from engine.registry.models import AppPassword, Person
from portal.sessions.models import WebSession
from tests import factories
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn, make_session
from tests.security.intruder import deliver_notices

OWN = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"
WHY = {"reason": "They lost their telephone"}


@pytest.fixture
def app_password(bob: Person) -> AppPassword:
    return factories.make_app_password(bob, generated_secrets.digest(SECRET))


@pytest.fixture
def bob_with_address(bob: Person) -> Person:
    """Bob, with an everyday address for notices."""
    bob.everyday_address = "bob@everyday.example"
    bob.save()
    return bob


def sign_in(person: Person) -> Client:
    client = Client(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7")
    client.post("/account/login/", {"login": person.address, "password": PASSWORD})
    return client


def notices() -> list[str]:
    """Returns the notices sent to Bob's everyday address."""
    deliver_notices()
    return [m.body for m in mail.outbox if m.to == ["bob@everyday.example"]]


def test_the_owner_sees_mail_programs_and_failed_attempts(
    bob: Person, alice: Person, app_password: AppPassword, signed_in: SignIn
) -> None:
    tally.flush()
    SignInTally.objects.all().delete()
    for secret in (SECRET, SECRET, "wrong"):
        authentication.authenticate_person(bob.address, secret, peer="192.0.2.44")
    wrong = {"login": bob.address, "password": "wrong"}
    Client(REMOTE_ADDR="203.0.113.9").post("/account/login/", wrong)
    tally.flush()
    hour = SignInTally.objects.all()[0].hour - timedelta(hours=3)
    SignInTally.objects.update(hour=hour)
    tasks.audit_sign_ins()

    counted = signed_in(bob).get(OWN).context["counted"]

    assert {(one.hour, one.what, one.network, one.count) for one in counted} == {
        (hour, "A mail program fetched mail", "192.0.2.0/24", 2),
        (hour, "A mail program failed to sign in", "192.0.2.0/24", 1),
        (hour, "A wrong password", "203.0.113.0/24", 1),
    }
    theirs = signed_in(alice, second_factor=True)
    assert theirs.get(OWN).context["counted"] == []


def test_the_owner_sees_browser_address_and_sign_ins(bob: Person) -> None:
    client = sign_in(bob)
    make_session(bob, browser="Safari on iPhone", peer="203.0.113.9")

    page = client.get(OWN).content.decode()

    assert "Firefox on Windows" in page and "192.0.2.7" in page
    assert "Safari on iPhone" in page and "203.0.113.9" in page
    assert page.count("This browser") == 1
    assert "When you signed in" in page


def test_keys_of_sessions_are_on_no_page(bob: Person) -> None:
    client = sign_in(bob)

    assert client.session.session_key not in client.get(OWN).content.decode()


def test_the_owner_ends_another(bob: Person) -> None:
    client, other = sign_in(bob), sign_in(bob)
    (gone,) = WebSession.objects.exclude(session_key=client.session.session_key)

    client.post(f"{OWN}{gone.public_id}/end/")

    assert client.get(OWN).status_code == 200
    assert other.get(OWN).status_code == 302
    assert Entry.objects.filter(event="person.session_ended").exists()


def test_nobody_ends_a_neighbours(bob: Person, charlie: Person) -> None:
    theirs = make_session(charlie)

    assert sign_in(bob).post(f"{OWN}{theirs.public_id}/end/").status_code == 404
    assert WebSession.objects.filter(pk=theirs.pk).exists()


def test_signing_out_everywhere_else_keeps_this_and_mail_programs(
    bob: Person, app_password: AppPassword
) -> None:
    client, other = sign_in(bob), sign_in(bob)

    page = client.get(f"{OWN}everywhere/").content.decode()
    client.post(f"{OWN}everywhere/")

    assert "Also end all my app passwords" in page and "Phone" in page
    assert client.get(OWN).status_code == 200
    assert other.get(OWN).status_code == 302
    assert authentication.authenticate_person(bob.address, SECRET) == bob


def test_and_ends_those_where_that_is_chosen(
    bob: Person, app_password: AppPassword
) -> None:
    client = sign_in(bob)

    client.post(f"{OWN}everywhere/", {"ends_app_passwords": "on"})

    assert client.get(OWN).status_code == 200
    assert authentication.authenticate_person(bob.address, SECRET) is None


def test_an_administrator_is_shown_the_keys_that_go_on(
    signed_in: SignIn, alice: Person
) -> None:
    factories.make_api_key(alice.organisation, "3" * 64, name="Case management")

    page = signed_in(alice, second_factor=True).get(f"{OWN}everywhere/")

    assert "API keys that stay valid" in page.content.decode()
    assert "Case management" in page.content.decode()


def test_another_password_signs_out_the_others(
    signed_in: SignIn, bob: Person, app_password: AppPassword
) -> None:
    other, client = sign_in(bob), signed_in(bob)
    new = "three other random words"

    client.post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert client.get(OWN).status_code == 200
    assert other.get(OWN).status_code == 302
    bob.refresh_from_db()
    assert WebSession.objects.open_of(bob).count() == 1
    assert authentication.authenticate_person(bob.address, SECRET) == bob


def page_of(bob: Person, surface: str) -> str:
    if surface == "console":
        return f"/admin/people/{bob.pk}/"
    return f"/organisation/{bob.organisation_id}/people/{bob.pk}/"


@pytest.fixture(params=["organisation", "console"])
def surface(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def overseer(
    signed_in: SignIn, surface: str, alice: Person, hugh: Person
) -> tuple[Person, Client]:
    person = hugh if surface == "console" else alice
    return person, signed_in(person, second_factor=True)


def test_who_looks_after_people_sees_theirs(
    surface: str,
    overseer: tuple[Person, Client],
    bob: Person,
    app_password: AppPassword,
) -> None:
    make_session(bob)

    page = overseer[1].get(f"{page_of(bob, surface)}sessions/").content.decode()

    assert "Firefox on Windows" in page and "198.51.100.7" in page
    assert app_password.name in page


def test_and_ends_one_with_a_reason_and_a_notice(
    surface: str, overseer: tuple[Person, Client], bob_with_address: Person
) -> None:
    by, client = overseer
    session = make_session(bob_with_address)
    path = f"{page_of(bob_with_address, surface)}sessions/{session.public_id}/end/"

    assert "Enter a reason" in client.post(path).content.decode()
    client.post(path, WHY)

    assert not WebSession.objects.filter(pk=session.pk).exists()
    entry = Entry.objects.get(event="person.session_ended")
    assert (entry.by_key, entry.detail["reason"]) == (by.audit_key, WHY["reason"])
    assert any("was ended: Firefox on Windows" in notice for notice in notices())


def test_and_all_of_them_with_the_app_passwords(
    surface: str,
    overseer: tuple[Person, Client],
    bob_with_address: Person,
    app_password: AppPassword,
) -> None:
    own = sign_in(bob_with_address)
    last = "sessions/end/" if surface == "console" else "sessions/everywhere/"

    overseer[1].post(page_of(bob_with_address, surface) + last, WHY)

    assert own.get(OWN).status_code == 302
    assert authentication.authenticate_person(bob_with_address.address, SECRET) is None
    assert any("was signed out everywhere" in notice for notice in notices())


def test_and_one_app_password(
    surface: str,
    overseer: tuple[Person, Client],
    bob_with_address: Person,
    app_password: AppPassword,
) -> None:
    path = f"{page_of(bob_with_address, surface)}app-passwords/{app_password.pk}/end/"

    overseer[1].post(path, WHY)

    assert authentication.authenticate_person(bob_with_address.address, SECRET) is None
    assert any("An app password of" in notice for notice in notices())


def test_the_neighbours_administrator_sees_and_ends_nothing(
    signed_in: SignIn, bob: Person, charlie: Person, app_password: AppPassword
) -> None:
    session = make_session(bob)
    client = signed_in(charlie, second_factor=True)
    theirs = page_of(bob, "organisation")
    through_own = f"/organisation/{charlie.organisation_id}/people/{bob.pk}/"

    for page in (theirs, through_own):
        for path in (
            "sessions/",
            "sessions/everywhere/",
            f"sessions/{session.public_id}/end/",
            f"app-passwords/{app_password.pk}/end/",
        ):
            assert client.get(page + path).status_code in (403, 404)
            assert client.post(page + path, WHY).status_code in (403, 404, 405)
    assert WebSession.objects.filter(pk=session.pk).exists()
    assert authentication.authenticate_person(bob.address, SECRET) == bob


def test_an_administrator_ends_no_session_of_staff(
    signed_in: SignIn, alice: Person, olive: Person
) -> None:
    olive.organisation = alice.organisation
    olive.save()
    page = page_of(olive, "organisation")

    answer = signed_in(alice, second_factor=True).post(
        f"{page}sessions/everywhere/", WHY
    )

    assert answer.status_code == 403
