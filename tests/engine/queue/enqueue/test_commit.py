from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.message import split
from engine.queue.enqueue import commit, insertion
from engine.queue.enqueue.accepted_message import AcceptedMessage, new_reference
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Organisation, Person
from engine.routing import routes
from engine.storage import content, rules
from engine.storage.models import FolderRole, Message, Rule
from engine.storage.standard_folders import folder
from tests import factories
from tests.concurrent_commits import commit_concurrently
from tests.engine.queue.conftest import RAW, Queue

pytestmark = pytest.mark.django_db


def incoming(*people: Person) -> AcceptedMessage:
    routes.current()  # a commit uses the routes as last loaded
    return AcceptedMessage(
        envelope=Envelope.simple(None, *(Address.parse(p.address) for p in people)),
        destinations=("mailbox",) * len(people),
        kept=content.keep(*split(RAW)),
        source=Source.RECEIVE,
        fingerprint="the same",
    )


def test_a_resend_has_the_name_of_what_it_repeats(alice: Person, bob: Person) -> None:
    [first] = commit.commit_messages([incoming(alice, bob)])

    again = commit.commit_messages([incoming(alice, bob), incoming(alice, bob)])

    assert again == [first, first]
    assert Message.objects.count() == 2


def test_two_of_a_kind_in_one_batch_are_one(alice: Person) -> None:
    first, second = commit.commit_messages([incoming(alice), incoming(alice)])

    assert first == second
    assert Message.objects.count() == 1


@pytest.mark.parametrize("lost", [RecipientStatus.FAILED, RecipientStatus.DROPPED])
def test_a_resend_reaches_only_whom_the_first_one_did_not(
    alice: Person, bob: Person, lost: RecipientStatus
) -> None:
    [first] = commit.commit_messages([incoming(alice, bob)])
    Message.objects.filter(mailbox__owner=bob).delete()
    Recipient.objects.filter(address=bob.address).update(status=lost)

    [second] = commit.commit_messages([incoming(alice, bob)])
    [third] = commit.commit_messages([incoming(alice, bob)])

    assert second != first
    assert third == second
    resent = Recipient.objects.filter(message__reference=second)
    assert [row.address for row in resent] == [bob.address]
    assert Message.objects.filter(mailbox__owner=alice).count() == 1
    assert Message.objects.filter(mailbox__owner=bob).count() == 1


def test_a_resend_goes_where_its_remaining_recipient_is(alice: Person) -> None:
    """The destinations stay beside their recipients when the first one drops out."""
    jane = Address.parse("jane@firm.example.secure.example")
    message = replace(
        incoming(alice),
        envelope=Envelope.simple(None, Address.parse(alice.address), jane),
        destinations=("mailbox", "connection:7"),
    )
    commit.commit_messages([message])
    Recipient.objects.filter(address=str(jane)).update(status=RecipientStatus.FAILED)

    [second] = commit.commit_messages([replace(message, reference=new_reference())])

    resent = Recipient.objects.get(message__reference=second)
    assert (resent.address, resent.destination) == (str(jane), "connection:7")
    assert resent.status == RecipientStatus.QUEUED


def test_after_a_day_it_is_a_new_message(alice: Person, queue: Queue) -> None:
    [first] = commit.commit_messages([incoming(alice)])
    queue.age(commit.RESEND_WINDOW + timedelta(minutes=1))

    [second] = commit.commit_messages([incoming(alice)])

    assert second != first
    assert QueuedMessage.objects.count() == 2


def test_what_cannot_be_committed_in_full_leaves_nothing(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(batch: object) -> None:
        raise RuntimeError("no audit entry can be written")

    message = incoming(alice)
    monkeypatch.setattr(insertion.group_mailbox_audit, "record_group_senders", fail)

    with pytest.raises(RuntimeError, match="no audit entry"):
        commit.commit_messages([message])

    assert QueuedMessage.objects.count() == 0
    assert Message.objects.count() == 0


def with_rules(organisation: Organisation, *, count: int) -> list[Person]:
    """Creates people with two rules on To each: one flags, one files into Junk."""
    people = []
    for number in range(count):
        address = f"clerk{number}@{organisation.domains.get().community_domain}"
        person = factories.make_person(address, organisation)
        box = factories.make_mailbox(person)
        junk = folder(box, FolderRole.JUNK)
        for wanted, target in (("listing@", None), ("clerk", junk)):
            rule = Rule(mailbox=box, name="To", to_contains=wanted, flags=True)
            rule.folder = target
            rules.save(rule, by=person)
        people.append(person)
    return people


def queries_of(*batch: AcceptedMessage) -> int:
    with CaptureQueriesContext(connection) as queries:
        commit.commit_messages(batch)
    return len(queries)


def test_rules_cost_an_acceptance_no_query_for_each_mailbox(
    northfield: Organisation,
) -> None:
    people = with_rules(northfield, count=12)
    raw = b"To: clerk@northfield.secure.example\r\n" + RAW

    def to(crowd: list[Person]) -> AcceptedMessage:
        kept = content.keep(*split(raw))
        return replace(incoming(*crowd), kept=kept, fingerprint="")

    few = queries_of(to(people[:2]))
    many = queries_of(to(people), to(people))

    assert many == few
    junk = Message.objects.filter(folder__role=FolderRole.JUNK)
    assert junk.filter(expires_at__isnull=False).count() == 2 + 12 + 12


@pytest.mark.django_db(transaction=True)
def test_what_two_processes_accept_at_the_same_moment_is_one_message(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = incoming(alice), incoming(alice)

    first, second = commit_concurrently(
        [
            lambda: commit.commit_messages([one]),
            lambda: commit.commit_messages([other]),
        ],
        monkeypatch,
    )

    assert Message.objects.count() == 1
    assert first == second


@pytest.mark.django_db(transaction=True)
def test_batches_of_the_same_messages_in_another_order_both_get_through(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [replace(incoming(alice), fingerprint=f"{n}") for n in range(20)]
    again = [
        replace(one, reference=new_reference(), kept=content.keep(*split(RAW)))
        for one in reversed(batch)
    ]

    first, second = commit_concurrently(
        [lambda: commit.commit_messages(batch), lambda: commit.commit_messages(again)],
        monkeypatch,
    )

    assert first == list(reversed(second))
    assert Message.objects.count() == 20


def test_fingerprints_cost_an_acceptance_the_same_however_many(alice: Person) -> None:
    batch = [replace(incoming(alice), fingerprint=f"{n}") for n in range(20)]
    queries_of(batch[0])  # what is cached for the whole process

    assert queries_of(*batch[1:3]) == queries_of(*batch[3:])
