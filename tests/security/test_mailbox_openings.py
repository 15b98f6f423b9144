"""Who opened a mailbox without being its holder is on record, and its holder sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from engine.audit import openings, tasks
from engine.audit.checkpoints.verification import verify_chain
from engine.audit.models import Entry, Opening
from engine.pop3 import maildrop
from engine.registry import mailbox_openings
from engine.registry.credentials import generated_secrets
from engine.registry.mailbox_openings import OpeningMethod
from engine.registry.models import ApiKey, Mailbox, Organisation, Person
from engine.registry.scopes import Scope
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.conftest import store_message

pytestmark = pytest.mark.django_db

SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"
PAGE = "/account/openings/"


@pytest.fixture(autouse=True)
def nothing_is_known() -> Iterator[None]:
    openings.forget_known()
    yield
    openings.forget_known()


@pytest.fixture
def team(northfield: Organisation, bob: Person) -> Mailbox:
    made = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    factories.make_grant(made, bob, can_read=True)
    return made


@pytest.fixture
def key(northfield: Organisation) -> ApiKey:
    return factories.make_api_key(
        northfield, generated_secrets.digest(SECRET), Scope.READ_MESSAGES
    )


def by_api(path: str) -> int:
    bearer = {"authorization": f"Bearer {SECRET}"}
    return Client().get(f"/api/v1/{path}", headers=bearer).status_code


def found() -> set[tuple[str, str, str]]:
    rows = Opening.objects.values_list("subject_name", "by_name", "method")
    return set(rows)


def test_a_member_who_opens_a_group_mailbox_is_recorded_once_a_day(
    signed_in: SignIn, bob: Person, team: Mailbox
) -> None:
    message = store_message(team)
    client = signed_in(bob)

    for _ in range(2):
        client.get(f"/mail/mailboxes/{team.pk}/", follow=True)
        assert client.get(f"/mail/messages/{message.pk}/").status_code == 200

    assert found() == {(team.address, bob.address, "webmail")}
    assert Opening.objects.count() == 1


def test_the_holder_is_never_recorded(
    signed_in: SignIn, bob: Person, team: Mailbox
) -> None:
    client = signed_in(bob)
    client.get("/mail/", follow=True)
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    maildrop.find_mailbox(bob.address, SECRET, peer="192.0.2.44")

    assert not Opening.objects.exists()


def test_a_group_mailbox_opened_by_a_mail_program_is_recorded(
    bob: Person, team: Mailbox
) -> None:
    factories.make_app_password(bob, generated_secrets.digest(SECRET))

    maildrop.find_mailbox(team.address, SECRET, peer="192.0.2.44")

    assert found() == {(team.address, bob.address, "mail program")}


@pytest.mark.parametrize(
    "path",
    [
        "messages/?mailbox={mailbox}",
        "messages/?mailbox={mailbox}&q=hello",
        "messages/{message}/",
        "messages/{message}/raw/",
        "mailboxes/{mailbox}/folders/",
    ],
)
def test_a_key_that_opens_a_mailbox_is_recorded(
    bob: Person, key: ApiKey, path: str
) -> None:
    message = store_message(bob.mailbox)

    answer = by_api(path.format(mailbox=bob.mailbox.pk, message=message.pk))

    assert answer == 200
    assert found() == {(bob.address, str(key), "API key")}


def test_a_key_that_sees_a_message_by_changing_nothing_is_recorded(
    bob: Person, northfield: Organisation
) -> None:
    key = factories.make_api_key(
        northfield, generated_secrets.digest(SECRET), Scope.WRITE_MESSAGES
    )
    message = store_message(bob.mailbox)

    answer = Client().patch(
        f"/api/v1/messages/{message.pk}/",
        "{}",
        content_type="application/json",
        headers={"authorization": f"Bearer {SECRET}"},
    )

    assert answer.status_code == 200
    assert found() == {(bob.address, str(key), "API key")}


def test_a_key_that_opens_nothing_is_not_recorded(
    bob: Person, key: ApiKey, charlie: Person
) -> None:
    assert by_api(f"messages/?mailbox={charlie.mailbox.pk + 1000}") == 404
    assert not Opening.objects.exists()


def test_an_opening_is_an_entry_of_the_audit_trail(bob: Person, team: Mailbox) -> None:
    mailbox_openings.note(team, by=bob, method=OpeningMethod.WEBMAIL)
    assert not Entry.objects.exists()

    assert tasks.append_openings() == 1
    assert tasks.append_openings() == 0

    entry = Entry.objects.get()
    assert (entry.event, entry.subject_name) == ("mailbox.opened", team.address)
    assert (entry.by_key, entry.by_name) == (str(bob.pk), bob.address)
    assert entry.organisation_key == str(team.organisation_id)
    assert entry.detail["by"] == "webmail"
    assert verify_chain() == 1


def test_an_entry_is_made_of_a_mailbox_that_is_gone_by_then(
    bob: Person, team: Mailbox
) -> None:
    mailbox_openings.note(team, by=bob, method=OpeningMethod.POP3)
    address, pk = team.address, str(team.pk)
    team.delete()

    tasks.append_openings()

    entry = Entry.objects.get(event="mailbox.opened")
    assert (entry.subject_kind, entry.subject_key) == ("registry.mailbox", pk)
    assert entry.subject_name == address


def test_no_page_takes_the_lock_of_the_chain_nor_writes_twice(
    bob: Person,
    team: Mailbox,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with (
        CaptureQueriesContext(connection) as first,
        django_capture_on_commit_callbacks(execute=True),
    ):
        mailbox_openings.note(team, by=bob, method=OpeningMethod.WEBMAIL)
    with CaptureQueriesContext(connection) as second:
        mailbox_openings.note(team, by=bob, method=OpeningMethod.WEBMAIL)

    assert not [one for one in first if "audit_chainend" in one["sql"]]
    assert len(second) == 0


def test_an_occasion_of_its_own_is_recorded_once_for_all_its_days(
    bob: Person, alice: Person
) -> None:
    for occasion in ("access-1", "access-1", "access-2"):
        mailbox_openings.note(
            bob.mailbox, by=alice, method=OpeningMethod.BREAK_GLASS, occasion=occasion
        )

    occasions = set(Opening.objects.values_list("occasion", flat=True))
    assert occasions == {"access-1", "access-2"}


def test_what_is_hidden_shows_once_its_time_is_over(
    signed_in: SignIn, bob: Person, alice: Person
) -> None:
    mailbox_openings.note(
        bob.mailbox,
        by=alice,
        method=OpeningMethod.BREAK_GLASS,
        hidden_until=timezone.now() + timedelta(hours=4),
    )
    tasks.append_openings()
    assert Entry.objects.get(event="mailbox.opened").organisation_key == ""
    client = signed_in(bob)
    assert client.get(PAGE).context["page"].rows == []

    Opening.objects.update(hidden_until=timezone.now())

    assert client.get(PAGE).context["page"].rows == [Opening.objects.get()]


def test_a_holder_sees_openings_by_others_and_no_neighbours(
    signed_in: SignIn, bob: Person, alice: Person, charlie: Person, team: Mailbox
) -> None:
    for mailbox, by in ((bob.mailbox, alice), (team, bob), (team, charlie)):
        mailbox_openings.note(mailbox, by=by, method=OpeningMethod.WEBMAIL)
    client = signed_in(bob)

    own = client.get(PAGE)
    teams = client.get(f"{PAGE}{team.pk}/")

    assert [one.by_name for one in own.context["page"].rows] == [alice.address]
    assert [one.by_name for one in teams.context["page"].rows] == [charlie.address]
    assert f"{PAGE}{team.pk}/" in own.content.decode()
    assert client.get(f"{PAGE}{charlie.mailbox.pk}/").status_code == 404


def test_a_right_to_send_alone_shows_no_openings(
    signed_in: SignIn, charlie: Person, team: Mailbox
) -> None:
    factories.make_grant(team, charlie, can_send=True)

    client = signed_in(charlie, second_factor=True)
    assert client.get(f"{PAGE}{team.pk}/").status_code == 404


def test_the_list_costs_the_same_for_one_and_for_many(
    signed_in: SignIn, bob: Person, team: Mailbox
) -> None:
    client, counts = signed_in(bob), []
    for first in (0, 1):
        for number in range(first, 1 + 30 * first):
            mailbox_openings.note(team, by=_key(number, team), method=OpeningMethod.API)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{PAGE}{team.pk}/")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def _key(number: int, mailbox: Mailbox) -> ApiKey:
    return ApiKey(pk=number + 1, name=f"{number}", organisation=mailbox.organisation)


def test_rows_are_kept_for_a_year_and_only_once_appended(
    bob: Person, team: Mailbox
) -> None:
    mailbox_openings.note(team, by=bob, method=OpeningMethod.WEBMAIL)
    Opening.objects.update(at=timezone.now() - openings.KEPT - timedelta(days=1))

    assert tasks.purge_openings() == 0
    tasks.append_openings()
    assert tasks.purge_openings() == 1
    assert Entry.objects.filter(event="mailbox.opened").count() == 1
