"""Sign-ins are in the audit trail: at once where a person signs in, and counted by the
hour where a program does or somebody fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from engine.audit.checkpoints.verification import verify_chain
from engine.audit.models import Entry, SignInTally
from engine.database import clock
from engine.pop3 import maildrop, replies
from engine.registry import tasks
from engine.registry.credentials import generated_secrets, sign_in_tally
from engine.registry.credentials.sign_in_tally import SignInMethod, Tally, tally
from engine.registry.models import ApiKey, AppPassword, Organisation, Person
from tests import factories
from tests.factories import PASSWORD
from tests.portal.conftest import code_now, give_app

pytestmark = pytest.mark.django_db

LOGIN = "/account/login/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"
PEER = "192.0.2.44"


@pytest.fixture(autouse=True)
def nothing_waits() -> None:
    tally.flush()
    SignInTally.objects.all().delete()


@pytest.fixture
def app_password(bob: Person) -> AppPassword:
    return AppPassword.objects.create(
        person=bob, name="Phone", digest=generated_secrets.digest(SECRET)
    )


def sign_in(person: Person, password: str = PASSWORD) -> Client:
    client = Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR=PEER)
    client.post(LOGIN, {"login": person.address, "password": password})
    return client


def append_next_hour() -> list[Entry]:
    """Appends what is counted, as the job does once the hour is over."""
    tally.flush()
    last = Entry.objects.first()
    SignInTally.objects.update(hour=clock.now() - timedelta(hours=3))
    tasks.audit_sign_ins()
    return list(Entry.objects.filter(pk__gt=last.pk if last else 0).order_by("pk"))


def test_signing_in_and_out_leaves_who_and_from_where(bob: Person) -> None:
    client = sign_in(bob)
    client.post("/account/logout/")

    first, second = Entry.objects.filter(event__startswith="person.signed")
    assert [first.event, second.event] == ["person.signed_out", "person.signed_in"]
    assert second.by_key == second.subject_key == str(bob.pk)
    assert second.organisation_key == str(bob.organisation_id)
    assert second.detail == {
        "network": "192.0.2.0/24",
        "browser": "Firefox on Linux",
        "second_factor": "",
    }


def test_a_sign_in_names_the_second_factor_that_it_showed(bob: Person) -> None:
    give_app(bob)
    client = sign_in(bob)
    assert not Entry.objects.filter(event="person.signed_in").exists()

    client.post("/account/second-factor/authenticate/", {"code": code_now()})

    entry = Entry.objects.get(event="person.signed_in")
    assert entry.detail["second_factor"] == "totp"


def test_failures_of_people_become_one_entry_and_strangers_none(bob: Person) -> None:
    for _ in range(3):
        sign_in(bob, "not the password")
    Client().post(LOGIN, {"login": "nobody@firm.example", "password": "x"})
    assert not Entry.objects.exists()

    [entry] = append_next_hour()

    assert (entry.event, entry.subject_name) == ("person.sign_in_failed", bob.address)
    assert entry.by_key == ""
    assert (entry.detail["count"], entry.detail["network"]) == (3, "192.0.2.0/24")
    assert not SignInTally.objects.exists()
    assert verify_chain() == 1


def test_wrong_codes_are_counted_apart_from_wrong_passwords(bob: Person) -> None:
    give_app(bob)
    client = sign_in(bob)
    for _ in range(2):
        client.post("/account/second-factor/authenticate/", {"code": "000000"})

    [entry] = append_next_hour()

    assert (entry.detail["by"], entry.detail["count"]) == ("second factor", 2)


def test_a_guess_of_a_stranger_never_takes_the_lock_of_the_chain(bob: Person) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        sign_in(bob, "not the password")

    assert not [one for one in queries if "audit_" in one["sql"]]


def test_programs_are_counted_by_person_door_source_and_hour(
    bob: Person, app_password: AppPassword
) -> None:
    for peer in (PEER, PEER, "198.51.100.7"):
        maildrop.find_mailbox(bob.address, SECRET, peer=peer)
    for address in (bob.address, "nobody@firm.example"):
        with pytest.raises(replies.Refused):
            maildrop.find_mailbox(address, "wrong", peer=PEER)
    assert not Entry.objects.exists()

    found = {
        (one.event, one.detail["network"], one.detail["count"], one.by_key)
        for one in append_next_hour()
    }

    assert found == {
        ("person.program_signed_in", "192.0.2.0/24", 2, str(bob.pk)),
        ("person.program_signed_in", "198.51.100.0/24", 1, str(bob.pk)),
        ("person.program_sign_in_failed", "192.0.2.0/24", 1, ""),
    }


def test_api_keys_are_counted_and_so_are_those_that_have_ended(
    northfield: Organisation,
) -> None:
    live, ended = (
        ApiKey.objects.create(
            organisation=northfield,
            name=name,
            client_id=name,
            scopes=["people:read"],
            digest=generated_secrets.digest(name * 20),
            revoked_at=revoked,
        )
        for name, revoked in (("live", None), ("ended", clock.now()))
    )
    for name in ("live", "live", "ended", "unknown"):
        Client(REMOTE_ADDR=PEER).get(
            "/api/v1/people/", headers={"authorization": f"Bearer {name * 20}"}
        )

    found = {
        (one.event, one.subject_key, one.detail["count"]) for one in append_next_hour()
    }

    assert found == {
        ("api_key.signed_in", str(live.pk), 2),
        ("api_key.refused", str(ended.pk), 1),
    }


@pytest.mark.parametrize(
    ("client_id", "status", "event"),
    [("case", 200, "api_key.signed_in"), ("other", 401, "api_key.refused")],
)
def test_a_token_for_a_key_is_counted_with_its_network(
    northfield: Organisation, client_id: str, status: int, event: str
) -> None:
    key = factories.make_api_key(
        northfield, generated_secrets.digest(SECRET), "people:read", client_id="case"
    )
    form = {"grant_type": "client_credentials", "client_secret": SECRET}

    answer = Client(REMOTE_ADDR=PEER).post(
        "/api/v1/oauth/token/",
        urlencode(form | {"client_id": client_id}),
        content_type="application/x-www-form-urlencoded",
        headers={"postern-peer": "203.0.113.9"},
    )

    assert answer.status_code == status
    [entry] = append_next_hour()
    assert (entry.event, entry.subject_key) == (event, str(key.pk))
    assert entry.detail["network"] == "192.0.2.0/24"


def test_an_hour_is_appended_once_it_is_over_for_every_process(bob: Person) -> None:
    noon = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    SignInTally.objects.create(
        hour=noon,
        subject_kind="registry.person",
        subject_key=str(bob.pk),
        method=SignInMethod.POP3,
        succeeded=True,
        count=1,
    )
    for minutes, appended in ((69, 0), (71, 1), (80, 0)):
        now = noon + timedelta(minutes=minutes)
        with (
            time_machine.travel(now, tick=False),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(clock, "now", lambda now=now: now)
            assert tasks.audit_sign_ins() == appended


def test_rows_of_several_processes_become_one_entry(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_tally, "BATCH", 3)
    for _ in range(2):
        for method in (SignInMethod.POP3, SignInMethod.SUBMISSION):
            tally.signed_in(bob, method, peer=PEER)
        tally.flush()

    found = {(one.detail["by"], one.detail["count"]) for one in append_next_hour()}

    assert found == {("POP3", 2), ("submission", 2)}


def test_counts_wait_while_the_database_does_not_answer(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Tally()
    ours.signed_in(bob, SignInMethod.POP3, peer=PEER)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(SignInTally.objects, "bulk_create", fail)
        with pytest.raises(DatabaseError):
            ours.flush()

    assert ours.flush() == 1
    assert ours.flush() == 0


def test_strangers_push_out_no_sign_in_and_fill_no_memory(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_tally, "MAX_FAILURES", 50)
    ours = Tally()
    for number in range(200):
        ours.failed(f"{number}@firm.example", SignInMethod.POP3, peer=PEER)
    ours.signed_in(bob, SignInMethod.POP3, peer=PEER)

    assert len(ours._failures) == 50
    assert ours.flush() == 1
