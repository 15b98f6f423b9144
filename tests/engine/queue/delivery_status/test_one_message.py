"""What an author learns about a message, while the queue has it and afterwards."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from engine.database import clock
from engine.queue import operator_actions
from engine.queue.delivery_status import one_message, summaries
from engine.queue.delivery_status.one_message import Delivery
from engine.queue.delivery_status.states import DeliveryState, MessageDelivery
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import Organisation, OrganisationStatus, Person
from engine.trace.models import Event
from tests import factories
from tests.engine.queue.conftest import JANE, Queue
from tests.next_hop import NextHop

pytestmark = pytest.mark.django_db

LIST = "duty@harbour.secure.example"


def delivery_of(reference: str) -> Delivery:
    """Returns the delivery, after checking that the list of messages says the same."""
    found = one_message.of_message(reference)
    assert found is not None
    listed = summaries.of_messages([reference])[reference]
    assert _comparable(listed) == _comparable(found.message)
    return found


def _comparable(delivery: MessageDelivery) -> object:
    groups = [
        (one.state, one.count, one.next_attempt_at, one.is_held)
        for one in delivery.groups
    ]
    return delivery.state, delivery.since, delivery.until, groups


def purge() -> None:
    Recipient.objects.all().delete()
    QueuedMessage.objects.all().delete()


@pytest.fixture
def to_jane(queue: Queue, hop: NextHop, firm_connection, bob: Person) -> str:
    """The reference of a message to Jane, whose server was down when it was tried."""
    hop.stop()
    reference = queue.send(bob.address, JANE)
    queue.run()
    return reference


def test_it_waits_while_the_server_is_down(to_jane: str) -> None:
    found = delivery_of(to_jane)

    [jane] = found.recipients
    message = QueuedMessage.objects.get()
    assert (jane.address, jane.state) == (JANE, DeliveryState.WAITING)
    assert "server could not be reached" in jane.why
    assert jane.next_attempt_at > timezone.now()
    assert found.message.since == message.accepted_at
    assert found.message.until == message.expires_at
    assert found.message.waiting.why == jane.why
    assert not found.message.is_final


def test_it_is_delivered_once_the_server_is_back(
    queue: Queue, hop: NextHop, to_jane: str
) -> None:
    hop.start()
    queue.make_all_due()
    queue.run()

    [jane] = delivery_of(to_jane).recipients

    assert jane.state is DeliveryState.DELIVERED
    assert "which took it" in jane.words
    assert jane.at == Recipient.objects.get().finished_at


def test_a_message_behind_others_says_why_they_wait(
    queue: Queue, to_jane: str, bob: Person
) -> None:
    behind = queue.send(bob.address, JANE)
    assert delivery_of(behind).message.state is DeliveryState.SENDING

    rows = Recipient.objects.filter(message__reference=behind)
    rows.update(next_attempt_at=timezone.now() - 2 * summaries.PATIENCE)
    [jane] = delivery_of(behind).recipients

    assert jane.state is DeliveryState.WAITING
    assert "server could not be reached" in jane.why
    assert jane.next_attempt_at is None


def test_one_of_two_is_returned(
    queue: Queue, hop: NextHop, firm_connection, alice: Person, bob: Person
) -> None:
    hop.rcpt_replies["jane@firm.example"].append("550 5.1.1 No such user")
    reference = queue.send(bob.address, alice.address, JANE)
    queue.run()

    found = delivery_of(reference)
    purge()
    later = delivery_of(reference)

    for one in (found, later):
        assert one.message.state is DeliveryState.PARTLY
        assert {r.address: r.state for r in one.recipients} == {
            alice.address: DeliveryState.DELIVERED,
            JANE: DeliveryState.RETURNED,
        }
        assert "address does not exist" in one.recipients[0].why


def test_what_the_trace_has_forgotten_is_not_made_up(
    queue: Queue, alice: Person, bob: Person
) -> None:
    reference = queue.send(bob.address, alice.address)
    purge()
    assert delivery_of(reference).message.state is DeliveryState.DELIVERED

    Event.objects.all().delete()

    assert one_message.of_message(reference) is None
    assert summaries.of_messages([reference]) == {}


def test_a_notice_has_no_author(queue: Queue, alice: Person, bob: Person) -> None:
    reference = queue.send("", alice.address, bob.address)

    assert one_message.of_message(reference) is None
    assert summaries.of_messages([reference]) == {}
    purge()
    assert one_message.of_message(reference) is None
    assert summaries.of_messages([reference]) == {}


def test_members_of_a_list_are_not_named(
    queue: Queue, harbour: Organisation, bob: Person, charlie: Person
) -> None:
    gone = "gone@harbour.secure.example"
    factories.make_list(LIST, harbour, charlie.address, gone, posting="community")
    reference = queue.send(bob.address, LIST)
    queue.run(until_nothing_is_due=True)
    assert Event.objects.filter(reference=reference, recipient=gone).exists()

    found = delivery_of(reference)
    story = one_message.story(reference)
    purge()
    later = delivery_of(reference)

    for one in (found, later):
        [duty] = one.recipients
        assert (duty.address, duty.state) == (LIST, DeliveryState.DELIVERED)
        assert duty.is_list
        assert one.has_lists
    [of_list] = story.recipients
    assert of_list.recipient == LIST
    # How many members it has is its owner's to tell.
    assert not any("members" in step.reply for step in of_list.steps)


def test_what_is_held_says_so_without_the_operators_reason(
    queue: Queue, to_jane: str, olive: Person
) -> None:
    queue.make_all_due()
    ids = list(Recipient.objects.values_list("pk", flat=True))
    operator_actions.hold(ids, reason="Looks stolen", by=olive)

    [jane] = delivery_of(to_jane).recipients
    story = one_message.story(to_jane)

    assert jane.state is DeliveryState.WAITING
    assert "operator" in jane.why and jane.is_held
    assert "Looks stolen" not in str(story)

    operator_actions.drop(ids, reason="Stolen indeed", by=olive)
    [jane] = delivery_of(to_jane).recipients
    assert jane.state is DeliveryState.RETURNED
    assert "operator" in jane.words
    assert "Stolen indeed" not in str(one_message.story(to_jane))


def test_what_is_suspended_says_whose(
    queue: Queue, to_jane: str, firm: Organisation
) -> None:
    firm.status = OrganisationStatus.SUSPENDED
    firm.save()
    queue.make_all_due()
    queue.run()

    [jane] = delivery_of(to_jane).recipients
    [story] = one_message.story(to_jane).recipients

    assert "suspended" in jane.why
    assert "suspended" in story.outcome.reply


def test_the_database_and_python_tell_states_apart_alike(
    queue: Queue, bob: Person, alice: Person
) -> None:
    queue.send(bob.address, alice.address)
    message = QueuedMessage.objects.get()
    now = clock.now()
    ages = (timedelta(0), summaries.PATIENCE / 2, 2 * summaries.PATIENCE)
    replies = ("", "451 4.4.1 Down", "Taken back by its sender")
    Recipient.objects.bulk_create(
        Recipient(
            message=message,
            address=f"r{number}@x.example",
            status=status,
            hold=Hold.OPERATOR if status == RecipientStatus.HELD else "",
            last_reply=reply,
            next_attempt_at=now - age,
            destination="mailbox",
        )
        for number, (status, reply, age) in enumerate(
            product(RecipientStatus, replies, ages)
        )
    )

    rows = Recipient.objects.annotate(found=summaries.state_expression(now))

    assert {row.pk: row.found for row in rows} == {
        row.pk: one_message.state_of(row, now) for row in rows
    }


def test_a_hundred_messages_take_two_queries(
    queue: Queue, alice: Person, bob: Person, django_assert_num_queries
) -> None:
    purged = [queue.send(bob.address, alice.address) for _ in range(3)]
    purge()
    kept = [queue.send(bob.address, alice.address, bob.address) for _ in range(3)]

    with django_assert_num_queries(2):
        found = summaries.of_messages([*purged, *kept])

    assert found.keys() == {*purged, *kept}
    assert {one.state for one in found.values()} == {DeliveryState.DELIVERED}
