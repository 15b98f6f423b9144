"""Snoozing and following up messages by the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage.models import FolderRole, Message, Reminder
from portal.webmail.models import ScheduledSend
from tests import factories
from tests.api.conftest import Api, Key
from tests.portal.webmail.conftest import store_message

SENT = FolderRole.SENT


@pytest.fixture
def call(key: Key, northfield: Organisation) -> Api:
    return key(northfield)


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def role(message: Message) -> str:
    return Message.objects.select_related("folder").get(pk=message.pk).folder.role


def test_a_message_is_snoozed_and_brought_back(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    message = store_message(bob.mailbox)
    url = f"/messages/{message.pk}/reminders/"

    answer = call("PUT", f"{url}snooze/", {"until": in_days(2)})

    assert answer.status_code == 200, answer.content
    assert role(message) == FolderRole.SNOOZED
    [listed] = call("GET", url).json()["results"]
    assert listed == answer.json()
    assert (listed["kind"], listed["person"]) == ("snooze", bob.pk)
    stranger = key(charlie.organisation)
    assert stranger("GET", url).status_code == 404
    assert stranger("DELETE", f"{url}snooze/").status_code == 404
    assert call("PUT", f"{url}snooze/", {"until": in_days(-1)}).status_code == 409
    assert call("PUT", f"{url}snooze/", {"until": "soon"}).status_code == 400
    assert call("DELETE", f"{url}snooze/").status_code == 204
    assert role(message) == FolderRole.INBOX
    assert call("DELETE", f"{url}snooze/").status_code == 404
    assert Entry.objects.filter(event="message.changed").count() == 2


def test_a_sent_message_of_a_group_mailbox_is_followed_up_for_a_member(
    call: Api, bob: Person, alice: Person, northfield: Organisation
) -> None:
    team: Mailbox = factories.make_group_mailbox(
        "listing@northfield.secure.example", northfield
    )
    for person in (alice, bob):
        factories.make_grant(team, person, can_read=True)
    sent = store_message(team, role=FolderRole.SENT)
    url = f"/messages/{sent.pk}/reminders/follow-up/"

    assert call("PUT", url, {"days": 3}).status_code == 400
    assert call("PUT", url, {"days": 0, "person": bob.pk}).status_code == 400
    answer = call("PUT", url, {"days": 3, "person": bob.pk})
    assert answer.status_code == 200, answer.content
    assert Reminder.objects.get().person == bob
    # One person has it, and another cannot take or end it.
    assert call("PUT", url, {"days": 3, "person": alice.pk}).status_code == 409
    assert call("DELETE", f"{url}?person={alice.pk}").status_code == 404
    assert call("DELETE", f"{url}?person={bob.pk}").status_code == 204
    received = store_message(team)
    other = f"/messages/{received.pk}/reminders/follow-up/"
    assert call("PUT", other, {"days": 3, "person": bob.pk}).status_code == 409


def test_the_audit_trail_is_locked_before_any_message(call: Api, bob: Person) -> None:
    message, sent = store_message(bob.mailbox), store_message(bob.mailbox, role=SENT)
    call("GET", f"/messages/{message.pk}/reminders/")  # notes that the key opened it

    for method, path, data in (
        ("PUT", f"{message.pk}/reminders/snooze/", {"until": in_days(2)}),
        ("DELETE", f"{message.pk}/reminders/snooze/", None),
        ("PUT", f"{sent.pk}/reminders/follow-up/", {"days": 3}),
        ("DELETE", f"{sent.pk}/reminders/follow-up/", None),
        ("PATCH", f"{message.pk}/", {"is_read": True, "is_flagged": True}),
    ):
        with CaptureQueriesContext(connection) as ran:
            assert call(method, f"/messages/{path}", data).status_code < 300
        said = [one["sql"] for one in ran]
        at = next(n for n, sql in enumerate(said) if "audit_chainend" in sql)
        assert said[at - 1].startswith("SAVEPOINT")
        changes = ('INSERT INTO "storage_', 'UPDATE "storage_')
        assert not [sql for sql in said[:at] if sql.startswith(changes)]


def test_a_follow_up_counts_from_when_the_message_leaves(
    call: Api, bob: Person
) -> None:
    sent = store_message(bob.mailbox, role=SENT)
    leaves_at = timezone.now() + timedelta(days=5)
    ScheduledSend.objects.create(
        message=sent, person=bob, reference=sent.reference, leaves_at=leaves_at
    )

    call("PUT", f"/messages/{sent.pk}/reminders/follow-up/", {"days": 3})

    assert Reminder.objects.get().due_at - leaves_at > timedelta(days=2, hours=22)
