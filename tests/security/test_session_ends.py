"""What ends a person's sessions, and what an ended session can still do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.registry.actions import organisations, people, sessions
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import Organisation, OrganisationStatus, Person
from portal.account_admin import actions
from portal.sessions.models import WebSession
from tests import factories
from tests.portal.conftest import SignIn

SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"
HOME = "/account/"


@pytest.fixture
def app_password(bob: Person) -> str:
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    return SECRET


def is_open(client: Client) -> bool:
    return client.get(HOME).status_code == 200


ENDS: dict[str, Callable[[Person], object]] = {
    "signed out everywhere": lambda bob: sessions.end_sessions(bob, by=bob),
    "suspended": lambda bob: people.suspend(bob, reason="left", by=None),
    "password ended": lambda bob: people.end_password(bob, by=None),
    "organisation suspended": lambda bob: organisations.suspend(
        bob.organisation, reason="fees", by=None
    ),
    "organisation suspended for good reason": lambda bob: organisations.suspend(
        bob.organisation, reason="break-in", ends_app_passwords=True, by=None
    ),
    "organisation closed": lambda bob: organisations.close(
        bob.organisation, reason="merged", by=None
    ),
}


@pytest.mark.parametrize("how", ENDS)
def test_an_open_web_session_ends_at_its_next_request(
    signed_in: SignIn, bob: Person, how: str
) -> None:
    client = signed_in(bob)
    assert is_open(client)

    ENDS[how](bob)

    assert client.get(HOME).status_code == 302
    bob.refresh_from_db()
    assert not WebSession.objects.open_of(bob).exists()


def test_a_session_does_not_revive_when_the_person_is_resumed(
    signed_in: SignIn, bob: Person
) -> None:
    client = signed_in(bob)
    people.suspend(bob, reason="lost laptop", by=None)

    people.resume(bob, by=None)

    assert not is_open(client)


def test_nor_when_the_organisation_is(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)
    organisations.suspend(bob.organisation, reason="fees", by=None)
    organisations.resume(Organisation.objects.get(pk=bob.organisation_id), by=None)

    assert not is_open(client)


@pytest.mark.parametrize(
    "how",
    [
        "signed out everywhere",
        "suspended",
        "password ended",
        "organisation suspended for good reason",
        "organisation closed",
    ],
)
def test_app_passwords_end_with_it(bob: Person, app_password: str, how: str) -> None:
    ENDS[how](bob)
    bob.refresh_from_db()
    if not bob.is_active:
        people.resume(bob, by=None)
    # Ended by hand: an ended session stays ended.
    Organisation.objects.update(status=OrganisationStatus.ACTIVE)

    assert authentication.authenticate_person(bob.address, app_password) is None


def test_app_passwords_open_nothing_while_the_organisation_is_suspended(
    bob: Person, charlie: Person, app_password: str
) -> None:
    organisations.suspend(bob.organisation, reason="fees", by=None)
    assert authentication.authenticate_person(bob.address, app_password) is None

    organisations.resume(Organisation.objects.get(pk=bob.organisation_id), by=None)

    assert authentication.authenticate_person(bob.address, app_password) == bob


def test_ending_them_with_the_organisation_ends_no_neighbours(
    bob: Person, charlie: Person, app_password: str
) -> None:
    organisations.suspend(
        charlie.organisation, reason="break-in", ends_app_passwords=True, by=None
    )

    assert authentication.authenticate_person(bob.address, app_password) == bob


def test_who_signs_out_everywhere_by_choice_may_keep_their_mail_programs(
    bob: Person, app_password: str
) -> None:
    ended = sessions.end_sessions(bob, keeps_app_passwords=True, by=bob)

    assert ended == []
    assert authentication.authenticate_person(bob.address, app_password) == bob


def test_the_audit_trail_says_what_ended_and_by_whom(
    alice: Person, bob: Person, app_password: str
) -> None:
    sessions.end_sessions(bob, reason="lost phone", by=alice)

    entry = Entry.objects.get(event="person.sessions_ended")
    assert entry.by_key == alice.audit_key
    assert entry.detail == {"app_passwords": ["Phone"], "reason": "lost phone"}


def test_a_neighbours_sessions_go_on(
    signed_in: SignIn, bob: Person, charlie: Person
) -> None:
    client = signed_in(bob)

    organisations.suspend(charlie.organisation, reason="fees", by=None)
    sessions.end_sessions(charlie, by=None)

    assert is_open(client)


def test_two_ends_at_once_each_count(bob: Person) -> None:
    """The database increments the counter, not the process that read it before."""
    stale = Person.objects.get(pk=bob.pk)
    sessions.end_sessions(bob, by=None)
    sessions.end_sessions(stale, by=None)

    bob.refresh_from_db()
    assert bob.session_generation == 2


def test_a_reset_of_the_second_factor_ends_what_it_had_opened(
    signed_in: SignIn, alice: Person, bob: Person
) -> None:
    client = signed_in(bob, second_factor=True)

    assert actions.reset_second_factor(bob, reason="Lost the phone", by=alice)

    assert not is_open(client)
