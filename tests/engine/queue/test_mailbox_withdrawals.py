"""Delivered messages that are taken out of their mailboxes, and put back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from engine.audit.models import Entry
from engine.queue import mailbox_withdrawals
from engine.queue.mailbox_withdrawals import Cause
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Mailbox, Person
from engine.storage import (
    content,
    folder_actions,
    folder_list,
    message_actions,
    trash_purge,
)
from engine.storage.exports import mbox
from engine.storage.models import (
    AutomaticMail,
    Content,
    FolderRole,
    Message,
    Retention,
    Rule,
    WithdrawalKind,
    WithdrawnCopy,
)
from engine.storage.search import find, indexer, query_parser
from engine.storage.standard_folders import folder, inbox
from engine.trace.models import Event, EventKind
from tests import encryption
from tests.encryption import MASTER_KEY
from tests.engine.queue.conftest import JANE, Queue
from tests.engine.storage.conftest import deliver
from tests.peers.engine import database_url

pytestmark = pytest.mark.django_db

CAUSE = Cause(WithdrawalKind.OPERATOR, by=None, reason="Phishing", occasion="search:7")


@pytest.fixture
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)


@pytest.fixture
def message(queue: Queue, bob: Person) -> Message:
    """A message that the queue delivered into Bob's mailbox."""
    queue.send(JANE, bob.address)
    queue.run()
    [found] = queue.inbox(bob)
    message_actions.flag([found], is_flagged=True)
    return Message.objects.get(pk=found.pk)


def facts(message: Message) -> dict[str, object]:
    left_out = {"is_indexed", "expires_at"}
    names = [one.attname for one in Message._meta.concrete_fields]
    return {name: getattr(message, name) for name in names if name not in left_out}


def found(mailbox: Mailbox) -> list[int]:
    indexer.catch_up(mailbox)
    results = find.find(query_parser.parse("bundle"), mailbox, limit=9)
    return [one.pk for one in results.messages]


def test_a_withdrawn_message_is_in_no_folder_search_count_or_export(
    message: Message, bob: Person
) -> None:
    assert found(bob.mailbox) == [message.pk]

    assert mailbox_withdrawals.withdraw([message.pk], CAUSE) == 1

    bob.mailbox.refresh_from_db()
    assert not Message.objects.exists()
    assert found(bob.mailbox) == []
    listed = folder_list.of_mailbox(
        bob.mailbox.pk, limit=9, withdrawn_since=timezone.now()
    )
    assert {(one.waiting, one.newest) for one in listed} == {(0, 0)}
    assert list(mbox.messages_of(message.folder)) == []
    assert bob.mailbox.used_bytes == 0


def test_it_says_who_withdrew_it_when_and_why_and_keeps_its_content(
    message: Message, alice: Person
) -> None:
    cause = Cause(WithdrawalKind.OPERATOR, by=alice, reason="Phishing", occasion="x:1")
    raw = content.read(message)

    mailbox_withdrawals.withdraw([message.pk], cause)

    [copy] = WithdrawnCopy.objects.filter(occasion="x:1")
    assert (copy.kind, copy.reason) == (WithdrawalKind.OPERATOR, "Phishing")
    assert (copy.by_key, copy.by_name) == (alice.audit_key, str(alice))
    assert copy.withdrawn_at <= timezone.now()
    assert content.read(copy) == raw


def test_the_trace_the_queue_and_the_audit_say_so(
    message: Message, bob: Person, alice: Person
) -> None:
    mailbox_withdrawals.withdraw(
        [message.pk], Cause(WithdrawalKind.RECALLED, by=alice, reason="Wrong bundle")
    )
    row = Recipient.objects.get()
    said = row.last_reply
    mailbox_withdrawals.put_back([message.pk], by=alice, reason="Right one after all")

    events = Event.objects.filter(reference=message.reference).order_by("pk")
    kinds = [one.kind for one in events]
    assert kinds[-3:] == [EventKind.DELIVERED, EventKind.RECALLED, EventKind.PUT_BACK]
    recalled = events[len(kinds) - 2]
    assert recalled.recipient == bob.address
    assert recalled.detail == {
        "mailbox": bob.mailbox.pk,
        "message": message.pk,
        "cause": "recalled",
        "reason": "Wrong bundle",
    }
    row.refresh_from_db()
    assert (row.status, said) == (RecipientStatus.DELIVERED, "Recalled by its sender")
    assert row.last_reply == "250 2.0.0 Delivered into the mailbox"
    [withdrawn, back] = Entry.objects.filter(event__startswith="mailbox.").order_by(
        "pk"
    )
    assert (withdrawn.event, back.event) == (
        "mailbox.message_withdrawn",
        "mailbox.message_put_back",
    )
    assert withdrawn.detail["messages"] == [message.pk]
    assert withdrawn.organisation_key == str(bob.organisation_id)
    assert (withdrawn.by_key, withdrawn.subject_name) == (alice.audit_key, bob.address)


def test_put_back_it_is_as_it_was(message: Message, bob: Person) -> None:
    before = facts(message)
    used = Mailbox.objects.get(pk=bob.mailbox.pk).used_bytes
    mailbox_withdrawals.withdraw([message.pk], CAUSE)

    assert mailbox_withdrawals.put_back([message.pk], by=None) == 1

    assert facts(Message.objects.get()) == before
    assert Mailbox.objects.get(pk=bob.mailbox.pk).used_bytes == used
    assert found(bob.mailbox) == [message.pk]
    assert not WithdrawnCopy.objects.exists()


def test_both_can_be_repeated(message: Message, bob: Person) -> None:
    assert mailbox_withdrawals.withdraw([message.pk], CAUSE) == 1
    assert mailbox_withdrawals.withdraw([message.pk], CAUSE) == 0
    assert mailbox_withdrawals.put_back([message.pk], by=None) == 1
    assert mailbox_withdrawals.put_back([message.pk, 999], by=None) == 0

    kinds = [EventKind.WITHDRAWN, EventKind.PUT_BACK]
    assert Event.objects.filter(kind__in=kinds).count() == 2


def test_an_id_is_not_given_to_another_message_meanwhile(
    queue: Queue, message: Message, bob: Person
) -> None:
    mailbox_withdrawals.withdraw([message.pk], CAUSE)

    queue.send(JANE, bob.address, raw=b"Subject: Next\r\n\r\nNext\r\n")
    queue.run()

    [following] = queue.inbox(bob)
    assert following.pk > message.pk
    mailbox_withdrawals.put_back([message.pk], by=None)
    assert {one.pk for one in queue.inbox(bob)} == {message.pk, following.pk}


def test_a_forward_that_waits_is_not_sent(bob: Person, alice: Person) -> None:
    Rule.objects.create(
        mailbox=bob.mailbox,
        position=1,
        name="To Alice",
        subject_contains="hearing",
        forward_to=alice.address,
    )
    message = deliver(bob.mailbox)
    assert AutomaticMail.objects.exists()

    mailbox_withdrawals.withdraw([message.pk], CAUSE)

    assert not AutomaticMail.objects.exists()


def test_it_comes_back_into_the_inbox_where_its_folder_was_deleted(
    message: Message, bob: Person
) -> None:
    cases = folder_actions.create(bob.mailbox, name="Cases")
    message_actions.move([message], cases)
    mailbox_withdrawals.withdraw([message.pk], CAUSE)
    folder_actions.remove(cases)

    mailbox_withdrawals.put_back([message.pk], by=None)

    assert Message.objects.get().folder == inbox(bob.mailbox)


def test_it_goes_for_good_after_the_days_of_deleted_mail(
    message: Message, bob: Person
) -> None:
    Retention.objects.create(organisation=bob.organisation, deleted_days=90)
    mailbox_withdrawals.withdraw([message.pk], CAUSE)
    [copy] = WithdrawnCopy.objects.all()
    assert timedelta(89) < copy.expires_at - copy.withdrawn_at < timedelta(91)

    Recipient.objects.all().delete()
    trash_purge.purge()
    assert WithdrawnCopy.objects.exists()
    WithdrawnCopy.objects.update(expires_at=timezone.now())
    trash_purge.purge()

    assert not WithdrawnCopy.objects.exists()
    # The queue has it for as long as its own records are kept.
    assert Content.objects.count() == 1


def test_its_content_goes_with_it_unless_another_mailbox_holds_it(
    bob: Person, alice: Person
) -> None:
    alone, shared = deliver(bob.mailbox), deliver(bob.mailbox)
    Message.objects.filter(pk=deliver(alice.mailbox).pk).update(content=shared.content)
    mailbox_withdrawals.withdraw([alone.pk, shared.pk], CAUSE)
    message_actions.delete_unreferenced([alone.content_id, shared.content_id])
    assert Content.objects.filter(pk=alone.content_id).exists()

    WithdrawnCopy.objects.update(expires_at=timezone.now())
    trash_purge.purge()

    assert not Content.objects.filter(pk=alone.content_id).exists()
    assert Content.objects.filter(pk=shared.content_id).exists()


def test_one_in_deleted_keeps_its_earlier_end(message: Message, bob: Person) -> None:
    Retention.objects.create(organisation=bob.organisation, deleted_days=90)
    message_actions.move([message], folder(bob.mailbox, FolderRole.TRASH))
    ends = Message.objects.get().expires_at - timedelta(days=10)
    Message.objects.update(expires_at=ends)

    mailbox_withdrawals.withdraw([message.pk], CAUSE)

    assert WithdrawnCopy.objects.get().expires_at == ends


def test_one_that_was_nearly_over_is_kept_for_a_month(
    message: Message, bob: Person
) -> None:
    message_actions.move([message], folder(bob.mailbox, FolderRole.TRASH))
    Message.objects.update(expires_at=timezone.now() + timedelta(hours=2))

    mailbox_withdrawals.withdraw([message.pk], CAUSE)

    [copy] = WithdrawnCopy.objects.all()
    assert copy.expires_at - copy.withdrawn_at > timedelta(29)


def test_nothing_is_half_done_where_a_step_fails(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(mailbox_withdrawals.event_log, "save", fail)

    with pytest.raises(OSError):
        mailbox_withdrawals.withdraw([message.pk], CAUSE)

    assert Message.objects.exists()
    assert not WithdrawnCopy.objects.exists()
    assert not Entry.objects.filter(event="mailbox.message_withdrawn").exists()
    assert found(message.mailbox) == [message.pk]


def test_an_encrypted_one_can_be_read_and_put_back(
    encrypted: None, bob: Person
) -> None:
    message = deliver(bob.mailbox)
    raw = content.read(message)
    mailbox_withdrawals.withdraw([message.pk], CAUSE)

    assert content.read(WithdrawnCopy.objects.get()) == raw
    mailbox_withdrawals.put_back([message.pk], by=None)
    assert content.read(Message.objects.get()) == raw


def test_many_take_as_many_statements_as_few(bob: Person, alice: Person) -> None:
    ids = [deliver(one.mailbox).pk for one in [bob, alice] for _ in range(10)]

    def statements(some: list[int]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert mailbox_withdrawals.withdraw(some, CAUSE) == len(some)
            assert mailbox_withdrawals.put_back(some, by=None) == len(some)
        return len(captured)

    assert statements([ids[0], ids[10]]) == statements(ids)


def test_many_are_done_in_slices(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [deliver(bob.mailbox).pk for _ in range(5)]
    monkeypatch.setattr(mailbox_withdrawals, "SLICE", 2)

    assert mailbox_withdrawals.withdraw(iter(ids), CAUSE) == 5

    entries = Entry.objects.filter(event="mailbox.message_withdrawn").order_by("pk")
    assert [one.detail["messages"] for one in entries] == [ids[:2], ids[2:4], ids[4:]]


WITHDRAW = """
import django
django.setup()
from engine.queue import mailbox_withdrawals
from engine.queue.mailbox_withdrawals import Cause
from engine.storage.models import Message, WithdrawalKind
mailbox_withdrawals.SLICE = 1
for pk in Message.objects.order_by("pk").values_list("pk", flat=True):
    cause = Cause(WithdrawalKind.INFECTED, by=None, reason="Eicar")
    print(mailbox_withdrawals.withdraw([pk], cause), flush=True)
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_leaves_each_in_one_place(
    encrypted: None, bob: Person, settings: Settings
) -> None:
    ids = {deliver(bob.mailbox).pk for _ in range(40)}
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "POSTERN_ENV": "test",
        "POSTERN_VAR": str(settings.POSTERN.path()),
        "POSTERN_DATABASE_URL": database_url(),
        "POSTERN_ENCRYPTION": "true",
        "POSTERN_MASTER_KEY": MASTER_KEY,
    }
    with subprocess.Popen(
        [sys.executable, "-c", WITHDRAW], env=environment, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        for _ in range(3):
            assert running.stdout.readline() == b"1\n"
        running.send_signal(signal.SIGKILL)

    left = set(Message.objects.values_list("pk", flat=True))
    gone = set(WithdrawnCopy.objects.values_list("pk", flat=True))
    assert left | gone == ids
    assert left.isdisjoint(gone)
    noted = Entry.objects.filter(event="mailbox.message_withdrawn")
    assert {pk for one in noted for pk in one.detail["messages"]} == gone
    sizes = Message.objects.values_list("size", flat=True)
    assert Mailbox.objects.get(pk=bob.mailbox.pk).used_bytes == sum(sizes)
    assert mailbox_withdrawals.withdraw(ids, CAUSE) == len(left)
    assert {len(content.read(one)) for one in WithdrawnCopy.objects.all()}
