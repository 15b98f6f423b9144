from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.mail import dsn
from engine.queue import claim, settle
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.registry.models import OrganisationStatus
from engine.trace.models import Event, EventKind
from engine.transport import local
from engine.transport.base import OutcomeState, answer
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db


def suspend(organisation):
    organisation.status = OrganisationStatus.SUSPENDED
    organisation.save()


def resume(organisation):
    organisation.status = OrganisationStatus.ACTIVE
    organisation.save()


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
    assert claim.claim("runner", busy=[destination]) == []


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
