"""What a runner is given, in which order, and whose work it stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.database import clock
from engine.queue.delivery import claim, due_recipients
from engine.queue.delivery.concurrency import Capacity
from engine.queue.models import Hold, Recipient, RecipientStatus, Source
from engine.transport import connection_errors
from tests import factories
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db

ABOUT_THE_CONNECTION = f"{next(iter(connection_errors.ALL))} (mail.firm.example)"


def at(connection):
    return f"connection:{connection.pk}"


def due_ago(reference, minutes):
    Recipient.objects.filter(message__reference=reference).update(
        next_attempt_at=timezone.now() - timedelta(minutes=minutes)
    )


def test_the_longest_wait_comes_first_whenever_it_was_accepted(
    queue, firm_connection, bob
):
    first, second, third = [queue.send(bob.address, JANE) for _ in range(3)]
    due_ago(first, 1)
    due_ago(second, 30)
    due_ago(third, 15)

    taken = claim.claim("runner", Capacity(limits={at(firm_connection): 2}))

    assert [parcel.reference for parcel in taken] == [second, third]
    assert queue.recipient(first).attempts == 0


def test_the_longest_wait_comes_first_among_destinations(
    queue, firm, firm_connection, harbour, bob
):
    other = factories.make_organisation(name="Other", account_type="smtp")
    factories.make_domain(other, "other.example")
    factories.make_connection(other)
    references = [
        queue.send(bob.address, address)
        for address in (JANE, "joe@other.example.secure.example", JANE)
    ]
    for reference, minutes in zip(references, (1, 15, 30), strict=True):
        due_ago(reference, minutes)

    taken = claim.claim("runner")

    assert [parcel.reference for parcel in taken] == references[::-1]


def test_a_claim_saves_where_the_recipient_is_now(queue, firm, firm_connection, bob):
    reference = queue.send(bob.address, JANE)
    Recipient.objects.update(destination="connection:999999")

    [parcel] = claim.claim("runner")

    assert parcel.destination == at(firm_connection)
    assert queue.recipient(reference).destination == at(firm_connection)


@pytest.fixture
def waiting(queue, firm_connection, bob):
    """A message that waits an hour because the next hop could not be reached."""
    reference = queue.send(bob.address, JANE)
    Recipient.objects.update(
        next_attempt_at=timezone.now() + timedelta(hours=1),
        last_reply=ABOUT_THE_CONNECTION,
    )
    return reference


def test_what_waits_for_a_destination_is_due_once_that_answers(
    queue, waiting, firm_connection
):
    found = claim.retry_now(at(firm_connection), connection_errors.ALL)

    assert found == 1
    assert queue.recipient(waiting).next_attempt_at <= clock.now()


@pytest.mark.parametrize(
    "changed",
    [
        {"status": RecipientStatus.HELD, "hold": Hold.SUSPENSION},
        {"status": RecipientStatus.DROPPED},
        {"leased_until": timezone.now() + timedelta(minutes=5)},
        {"destination": "connection:999999"},
        {"last_reply": "450 4.2.0 Not now"},
    ],
    ids=["held", "dropped", "leased", "elsewhere", "another reason"],
)
def test_nothing_else_is_due_by_that(queue, waiting, firm_connection, changed):
    Recipient.objects.update(**changed)

    assert claim.retry_now(at(firm_connection), connection_errors.ALL) == 0
    assert queue.recipient(waiting).next_attempt_at > timezone.now()


def test_no_reply_is_a_reason_for_nothing(queue, waiting, firm_connection):
    assert claim.retry_now(at(firm_connection), []) == 0


def test_what_an_operator_took_out_of_the_queue_is_the_runners_no_more(
    queue, firm_connection, bob
):
    """A lease stays on the row; only its status says that nothing is to be done."""
    reference = queue.send(bob.address, JANE)
    claim.claim("runner")
    row = queue.recipient(reference)
    assert set(claim.lock_leased("runner", [row.pk])) == {row.pk}

    Recipient.objects.update(status=RecipientStatus.DROPPED)
    queue.make_all_due()
    claim.renew_leases("runner", [row.pk])

    assert claim.lock_leased("runner", [row.pk]) == {}
    assert queue.recipient(reference).leased_until < timezone.now()


def test_a_runner_touches_no_lease_of_another(queue, firm_connection, bob):
    reference = queue.send(bob.address, JANE)
    claim.claim("runner")
    row = queue.recipient(reference)

    claim.release_leases("another")
    claim.renew_leases("another", [row.pk])

    assert claim.lock_leased("another", [row.pk]) == {}
    assert queue.recipient(reference).leased_until == row.leased_until
    assert queue.recipient(reference).leased_by == "runner"


def test_a_runner_renews_only_what_it_names(queue, firm_connection, bob):
    references = [queue.send(bob.address, JANE) for _ in range(2)]
    claim.claim("runner")
    queue.make_all_due()
    named = queue.recipient(references[0])

    claim.renew_leases("runner", [named.pk])

    assert queue.recipient(references[0]).leased_until > timezone.now()
    assert queue.recipient(references[1]).leased_until < timezone.now()
    assert set(claim.lock_leased("runner", [named.pk])) == {named.pk}


@pytest.mark.parametrize("source", Source)
def test_only_what_the_service_wrote_itself_is_a_notice(
    queue, firm_connection, bob, source
):
    queue.send(bob.address, JANE, source=source)

    [parcel] = claim.claim("runner")

    assert parcel.is_notice is (source in (Source.SYSTEM, Source.DSN))
    assert str(parcel.sender) == bob.address


def test_the_newest_reply_says_why_a_destination_cannot_be_reached(
    queue, firm_connection, bob
):
    """Of several that were tried at the same moment, it is the last one's."""
    names = [queue.send(bob.address, JANE) for _ in range(3)]
    now = timezone.now()
    replies = (connection_errors.NO_ANSWER, connection_errors.NOT_TRUSTED, "")
    for name, reply in zip(names, replies, strict=True):
        row = Recipient.objects.filter(message__reference=name)
        row.update(next_attempt_at=now, last_reply=str(reply))

    found = due_recipients.outage_replies([at(firm_connection), "connection:999999"])

    assert found == {at(firm_connection): str(connection_errors.NOT_TRUSTED)}
