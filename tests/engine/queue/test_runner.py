from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from engine.mail import dsn
from engine.queue import claim, schedule, settle, sweeps
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.registry.actions import people
from engine.registry.models import Mailbox, OrganisationStatus
from engine.storage import actions as storage
from engine.storage.models import Content
from engine.trace.models import Event, EventKind
from engine.transport import local
from engine.transport.base import OutcomeState, answer
from tests import factories
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db


def suspend(organisation):
    organisation.status = OrganisationStatus.SUSPENDED
    organisation.save()


def resume(organisation):
    organisation.status = OrganisationStatus.ACTIVE
    organisation.save()


def fill(mailbox):
    Mailbox.objects.filter(pk=mailbox.pk).update(used_bytes=mailbox.quota_bytes)


def test_message_for_a_mailbox_is_there_when_accepted(queue, alice, bob):
    reference = queue.send(bob.address, alice.address)

    [message] = queue.inbox(alice)
    assert message.subject == "Bundle"
    assert message.envelope_sender == bob.address
    assert queue.status(reference) is RecipientStatus.DELIVERED
    assert Event.objects.filter(reference=reference, kind=EventKind.DELIVERED).exists()


def test_mailbox_named_twice_gets_one_copy(queue, alice, bob):
    queue.send(bob.address, alice.address, alice.address.upper())

    assert len(queue.inbox(alice)) == 1


def test_success_is_reported_for_a_mailbox_when_asked(queue, alice, bob, read):
    queue.send(bob.address, alice.address, notify="SUCCESS,FAILURE")

    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert len(queue.inbox(alice)) == 1
    assert about.action == "delivered"


def test_next_attempt_is_written_before_anything_is_tried(
    queue, hop, firm_connection, bob
):
    reference = queue.send(bob.address, JANE)

    [parcel] = claim.claim("runner that dies")

    row = queue.recipient(reference)
    assert parcel.reference == reference
    assert row.attempts == 1
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=40)
    assert row.leased_by == "runner that dies"


def test_recipient_is_claimed_by_one_runner_only(queue, hop, firm_connection, bob):
    queue.send(bob.address, JANE)

    assert len(claim.claim("first")) == 1
    Recipient.objects.update(next_attempt_at=timezone.now())
    assert claim.claim("second") == []


def test_work_of_a_dead_runner_returns_when_its_lease_is_over(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, JANE)
    claim.claim("runner that dies")

    queue.run()
    assert hop.received == []

    queue.wait_over()
    queue.run()
    assert len(hop.received) == 1


def test_runner_that_lost_its_lease_settles_nothing(queue, hop, firm_connection, bob):
    reference = queue.send(bob.address, JANE)
    [parcel] = claim.claim("slow")
    queue.wait_over()
    claim.claim("quick")

    settled = settle.settle(
        "slow", answer(parcel, OutcomeState.RELAYED, local.DELIVERED)
    )

    assert settled == 0
    assert queue.recipient(reference).leased_by == "quick"
    assert queue.status(reference) is RecipientStatus.QUEUED


def test_lease_is_kept_alive_while_work_goes_on(queue, hop, firm_connection, bob):
    reference = queue.send(bob.address, JANE)
    [parcel] = claim.claim("busy")
    queue.wait_over()

    claim.renew("busy", [parcel.recipients[0].id])

    assert queue.recipient(reference).leased_until > timezone.now()


def test_busy_destination_is_passed_over(queue, hop, firm_connection, bob):
    queue.send(bob.address, JANE)

    destination = f"connection:{firm_connection.pk}"
    assert (
        claim.claim("runner", under_way=Counter({destination: claim.PER_DESTINATION}))
        == []
    )


def test_a_slow_destination_gets_its_share_of_a_claim_and_no_more(
    queue, hop, firm_connection, firm, harbour, bob
):
    for _ in range(claim.PER_DESTINATION + 5):
        queue.send(bob.address, JANE)
    slow = f"connection:{firm_connection.pk}"

    first = claim.claim("runner", under_way=Counter({slow: 5}))
    left = Recipient.objects.filter(leased_until=None)

    assert len(first) == claim.PER_DESTINATION - 5
    assert left.count() == 10
    assert set(left.values_list("attempts", flat=True)) == {0}


def test_recipients_of_one_message_count_as_one(queue, hop, firm_connection, bob):
    people = [f"x{n}@firm.example" for n in range(claim.PER_DESTINATION + 5)]
    queue.send(bob.address, *people)

    [parcel] = claim.claim("runner")

    assert len(parcel.recipients) == len(people)


def test_many_slow_destinations_leave_room_for_another(
    queue, hop, firm_connection, bob
):
    for _ in range(5):
        queue.send(bob.address, JANE)
    # Of others: PostgreSQL numbers on from test to test.
    others = range(firm_connection.pk + 1, firm_connection.pk + 11)
    slow = Counter({f"connection:{other}": 19 for other in others})

    claimed = claim.claim("runner", under_way=slow)

    assert len(claimed) == (claim.IN_ALL - 190) // claim.PARTS


def test_mail_for_mailboxes_waits_for_no_next_hop(queue, bob, northfield):
    reference = queue.send(JANE, bob.address, notify="SUCCESS")

    [parcel] = claim.claim("runner", under_way=Counter({"connection:9": claim.IN_ALL}))

    assert parcel.reference == reference


def test_nothing_is_claimed_while_enough_is_under_way(queue, hop, firm_connection, bob):
    queue.send(bob.address, JANE)

    assert (
        claim.claim("runner", under_way=Counter({"connection:9": claim.IN_ALL})) == []
    )


def test_what_is_long_finished_leaves_the_queue_and_the_trace_stays(queue, alice, bob):
    reference = queue.send(bob.address, alice.address)
    kept = queue.send(bob.address, alice.address)
    [first, _] = queue.inbox(alice)
    storage.erase([first.pk])
    age_past_retention(QueuedMessage.objects.all())

    sweeps.sweep()

    assert not QueuedMessage.objects.exists()
    assert not Recipient.objects.exists()
    assert Content.objects.count() == 1
    assert len(queue.inbox(alice)) == 1
    assert Event.objects.filter(reference=reference).count() == 2
    assert Event.objects.filter(reference=kept).count() == 2


def test_what_still_waits_stays_however_old(queue, hop, firm_connection, alice, bob):
    hop.stop()
    reference = queue.send(bob.address, alice.address, JANE)
    age_past_retention(QueuedMessage.objects.all())
    QueuedMessage.objects.update(expires_at=timezone.now() + timedelta(days=1))

    sweeps.sweep()

    assert QueuedMessage.objects.get().reference == reference


def test_what_finished_just_now_stays(queue, alice, bob):
    queue.send(bob.address, alice.address)
    age_past_retention(QueuedMessage.objects.all())
    Recipient.objects.update(finished_at=timezone.now())

    sweeps.sweep()

    assert QueuedMessage.objects.exists()


def age_past_retention(messages):
    long_ago = timezone.now() - schedule.RETENTION - timedelta(hours=1)
    Recipient.objects.exclude(finished_at=None).update(finished_at=long_ago)
    messages.update(accepted_at=long_ago)


def test_message_is_given_up_at_the_end_of_its_life(
    queue, hop, firm_connection, bob, read
):
    hop.stop()
    reference = queue.send(bob.address, JANE)
    queue.run()
    queue.age(timedelta(hours=48))

    queue.run()

    notices = [dsn.read(read(message))[0] for message in queue.inbox(bob)]
    assert [about.action for about in notices] == ["failed"]
    assert notices[0].status == "5.4.7"
    assert "does not answer" in notices[0].diagnostic
    assert queue.status(reference) is RecipientStatus.FAILED


def test_mail_for_a_full_mailbox_waits_until_there_is_room(queue, alice, bob):
    fill(alice.mailbox)
    reference = queue.send(bob.address, alice.address)
    queue.run()
    assert queue.inbox(alice) == []
    assert queue.recipient(reference).last_reply.startswith("452 4.2.2 ")

    Mailbox.objects.filter(pk=alice.mailbox.pk).update(used_bytes=0)
    queue.wait_over()
    queue.run()

    assert len(queue.inbox(alice)) == 1
    assert queue.status(reference) is RecipientStatus.DELIVERED


def test_mail_for_a_mailbox_that_stays_full_is_returned(queue, alice, bob, read):
    fill(alice.mailbox)
    reference = queue.send(bob.address, alice.address)
    queue.run()

    queue.age(timedelta(hours=49))
    queue.wait_over()
    sweeps.sweep()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert queue.status(reference) is RecipientStatus.FAILED
    assert about.status == "5.2.2"


def test_delay_is_reported_once(queue, hop, firm_connection, bob, read):
    hop.stop()
    reference = queue.send(bob.address, JANE)
    queue.run()
    queue.age(timedelta(hours=2))

    queue.run()
    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert len(queue.inbox(bob)) == 1
    assert about.action == "delayed"
    assert queue.status(reference) is RecipientStatus.QUEUED


@pytest.mark.parametrize("whose", ["recipient", "sender"])
def test_mail_is_held_while_an_organisation_is_suspended(
    queue, hop, firm_connection, bob, whose
):
    reference = queue.send(bob.address, JANE)
    organisation = {
        "recipient": firm_connection.organisation,
        "sender": bob.organisation,
    }[whose]
    suspend(organisation)
    queue.run()
    held = queue.recipient(reference)
    queue.age(timedelta(hours=100))
    queue.wait_over()
    queue.run()
    still_held = queue.status(reference)

    resume(organisation)
    queue.wait_over()
    queue.run()

    assert held.status == RecipientStatus.HELD
    assert held.hold == Hold.SUSPENSION
    assert "is suspended" in held.last_reply
    assert still_held is RecipientStatus.HELD
    assert queue.status(reference) is RecipientStatus.RELAYED
    kinds = Event.objects.filter(reference=reference).values_list("kind", flat=True)
    assert list(kinds) == ["received", "held", "released", "relayed"]


@pytest.mark.parametrize("whose", ["recipient", "sender"])
def test_mail_is_held_while_a_person_is_suspended(
    queue, hop, firm, firm_connection, bob, whose
):
    jane = factories.make_person(JANE, firm)
    person = {"recipient": jane, "sender": bob}[whose]
    reference = queue.send(bob.address, JANE)
    people.suspend(person, reason="Left their laptop", by=None)
    queue.run()
    held = queue.recipient(reference)
    queue.wait_over()
    queue.run()
    still_held = queue.status(reference)

    people.resume(person, by=None)
    queue.wait_over()
    queue.run()

    assert held.hold == Hold.SUSPENSION
    assert "suspended" in held.last_reply
    assert still_held is RecipientStatus.HELD
    assert queue.status(reference) is RecipientStatus.RELAYED


def test_what_a_suspended_person_wrote_for_a_group_is_held(
    queue, hop, firm_connection, bob
):
    group = factories.make_group_mailbox(
        "team@northfield.secure.example", bob.organisation
    )
    reference = queue.send(group.address, JANE)
    QueuedMessage.objects.filter(reference=reference).update(person_id=bob.pk)
    people.suspend(bob, reason="Left their laptop", by=None)

    queue.run()

    assert queue.recipient(reference).hold == Hold.SUSPENSION


def test_notice_for_a_suspended_sender_waits_for_them(
    queue, hop, firm_connection, bob, harbour
):
    hop.answers["jane@firm.example"] = ["550 5.1.1 No such person"]
    reference = queue.send(bob.address, JANE)
    parcels = claim.claim("runner")
    suspend(bob.organisation)
    refusal = answer(parcels[0], OutcomeState.FAILED, local.DELIVERED)
    settle.settle("runner", refusal)
    queue.run()
    waiting = queue.inbox(bob)

    resume(bob.organisation)
    queue.wait_over()
    queue.run()

    assert queue.status(reference) is RecipientStatus.FAILED
    assert waiting == []
    assert len(queue.inbox(bob)) == 1


def test_mail_for_an_organisation_that_left_goes_back(
    queue, hop, firm_connection, bob, read
):
    reference = queue.send(bob.address, JANE)
    firm_connection.organisation.status = OrganisationStatus.CLOSED
    firm_connection.organisation.save()

    queue.run()

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert queue.status(reference) is RecipientStatus.FAILED
    assert about.status == "5.2.1"


def test_mail_follows_an_organisation_to_another_connection(
    queue, hop, firm_connection, bob, make_hop, firm
):
    queue.send(bob.address, JANE)
    other = make_hop("new.firm.example")
    firm_connection.next_hop_port = other.port
    firm_connection.next_hop_tls_name = "new.firm.example"
    firm_connection.save()

    queue.run()

    assert (len(hop.received), len(other.received)) == (0, 1)


def test_our_own_fault_puts_the_message_off(queue, hop, firm_connection, bob, caplog):
    raw = b"From: a@b.example\r\n\r\n" + b"x" * 100_000
    reference = queue.send(bob.address, JANE, raw=raw)
    row = queue.recipient(reference)
    blob = row.message.content
    blob.blob_key = "0" * 32  # gone
    blob.save()

    queue.run()

    row = queue.recipient(reference)
    assert row.status == RecipientStatus.QUEUED
    assert row.last_reply.startswith("451 4.3.0")
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=40)
    assert hop.received == []
    assert "FileNotFoundError" in caplog.text
