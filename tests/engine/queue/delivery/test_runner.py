from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from engine.mail import dsn
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from engine.queue import retry_schedule
from engine.queue.delivery import (
    claim,
    due_recipients,
    maintenance,
    outcome_recording,
    suspension,
)
from engine.queue.delivery.concurrency import Capacity
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.registry.actions import people
from engine.registry.models import Mailbox, OrganisationStatus
from engine.trace.models import Event, EventKind
from engine.transport import local_mailboxes
from engine.transport.parcel import OutcomeState, answer
from tests import factories
from tests.engine.queue.conftest import JANE, RAW

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


@pytest.mark.parametrize("minutes", [5, -5])
def test_host_whose_clock_is_wrong_takes_over_nothing_that_another_does(
    queue, hop, firm_connection, bob, minutes
):
    queue.send(bob.address, JANE)
    wrong = timezone.now() + timedelta(minutes=minutes)

    with time_machine.travel(wrong):
        assert len(claim.claim("host with a wrong clock")) == 1
    Recipient.objects.update(next_attempt_at=timezone.now())
    assert claim.claim("another") == []

    queue.make_all_due()
    assert len(claim.claim("another")) == 1
    Recipient.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    with time_machine.travel(wrong):
        assert claim.claim("host with a wrong clock") == []


def test_work_of_a_dead_runner_returns_when_its_lease_is_over(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, JANE)
    claim.claim("runner that dies")

    queue.run()
    assert hop.received == []

    queue.make_all_due()
    queue.run()
    assert len(hop.received) == 1


def test_runner_that_lost_its_lease_settles_nothing(queue, hop, firm_connection, bob):
    reference = queue.send(bob.address, JANE)
    [parcel] = claim.claim("slow")
    queue.make_all_due()
    claim.claim("quick")

    outcome_recording.record_outcomes(
        "slow", answer(parcel, OutcomeState.RELAYED, local_mailboxes.DELIVERED)
    )

    assert queue.recipient(reference).leased_by == "quick"
    assert queue.status(reference) is RecipientStatus.QUEUED


def test_lease_is_kept_alive_while_work_goes_on(queue, hop, firm_connection, bob):
    reference = queue.send(bob.address, JANE)
    [parcel] = claim.claim("busy")
    queue.make_all_due()

    claim.renew_leases("busy", [parcel.recipients[0].id])

    assert queue.recipient(reference).leased_until > timezone.now()


def test_closed_destination_is_passed_over(queue, hop, firm_connection, bob):
    queue.send(bob.address, JANE)

    assert claim.claim("runner", Capacity(limits={at(firm_connection): 0})) == []


def test_destination_gets_its_share_of_a_claim_and_the_oldest_first(
    queue, hop, firm_connection, bob
):
    references = [queue.send(bob.address, JANE) for _ in range(8)]

    taken = claim.claim("runner", Capacity(limits={at(firm_connection): 5}))
    left = Recipient.objects.filter(leased_until=None)

    assert [parcel.reference for parcel in taken] == references[:5]
    assert left.count() == 3
    assert set(left.values_list("attempts", flat=True)) == {0}


def test_however_much_waits_for_one_destination_another_is_served_at_once(
    queue, hop, firm_connection, bob, harbour
):
    queue.send(bob.address, JANE)
    crowd(Recipient.objects.get(), "connection:999999", 500)
    reference = queue.send(bob.address, JANE)

    for room in (Capacity(), Capacity(limits={"connection:999999": 0})):
        taken = claim.claim("runner", room)
        mine = [one for one in taken if one.destination == at(firm_connection)]
        assert reference in [parcel.reference for parcel in mine]
        claim.release_leases("runner")
        Recipient.objects.update(next_attempt_at=timezone.now())


def test_a_claim_reads_no_more_however_much_waits(queue, hop, firm_connection, bob):
    """The database counts the rows that a claim locks, with ten and a thousand due."""
    queue.send(bob.address, JANE)
    row = Recipient.objects.get()
    shares = {at(firm_connection): 3, "connection:999999": 3}
    found = []
    for more in (10, 1000):
        crowd(row, "connection:999999", more)
        with transaction.atomic():
            found.append(len(due_recipients.lock_oldest(timezone.now(), shares)))

    assert found == [4, 4]


def test_recipients_of_one_message_count_as_one(queue, hop, firm_connection, bob):
    people = [f"x{n}@firm.example" for n in range(25)]
    queue.send(bob.address, *people)

    [parcel] = claim.claim("runner", Capacity(limits={at(firm_connection): 1}))

    assert len(parcel.recipients) == len(people)


def test_recipients_of_one_message_stay_together_when_it_is_put_off(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, *(f"x{n}@firm.example" for n in range(5)))

    claim.claim("runner")

    assert Recipient.objects.values("next_attempt_at").distinct().count() == 1


def test_a_parcel_holds_no_more_than_a_server_must_take(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, *(f"x{n}@firm.example" for n in range(130)))

    sizes = [len(claim.claim("runner")[0].recipients) for _ in range(2)]

    assert sizes == [claim.PARCEL_LIMIT, 30]


def test_mail_for_mailboxes_waits_for_no_next_hop(queue, bob, northfield):
    reference = queue.send(JANE, bob.address, notify="SUCCESS")

    [parcel] = claim.claim("runner", Capacity(in_all=0, unproven=0))

    assert parcel.reference == reference


def test_however_many_lists_have_something_due_a_claim_is_small_and_serves_others(
    queue, hop, firm_connection, bob
):
    reference = queue.send(bob.address, JANE)
    row = Recipient.objects.get()
    lists = [
        f"list:{number}" for number in range(due_recipients.MOST_DESTINATIONS + 50)
    ]
    Recipient.objects.bulk_create(
        Recipient(
            message_id=row.message_id,
            address=f"x{number}@elsewhere.example",
            destination=name,
            next_attempt_at=timezone.now() - timedelta(hours=1),
        )
        for name in lists
        for number in range(6)
    )

    taken = [claim.claim("runner") for _ in range(3)]

    assert reference in {p.reference for p in taken[0] if p.destination != "nowhere"}
    sizes = [sum(len(parcel.recipients) for parcel in claimed) for claimed in taken]
    assert max(sizes) <= claim.LOCAL_IN_ALL + 1
    assert min(sizes) >= len(lists) // 2


def test_nothing_is_claimed_while_enough_is_under_way(queue, hop, firm_connection, bob):
    queue.send(bob.address, JANE)

    assert claim.claim("runner", Capacity(in_all=0)) == []


def test_what_waits_untried_for_a_server_that_cannot_be_trusted_is_told_of(
    queue, hop, firm_connection, bob, read
):
    old, new = queue.send(bob.address, JANE), queue.send(bob.address, JANE)
    due_for(old, retry_schedule.TLS_PATIENCE)

    maintenance.notify_of_distrust({at(firm_connection)})
    maintenance.run_due()

    [notice] = queue.inbox(bob)
    [about] = dsn.read(read(notice))
    assert about.action == "delayed"
    assert queue.status(old) is queue.status(new) is RecipientStatus.QUEUED
    assert queue.recipient(old).delay_noticed_at is not None
    assert queue.recipient(new).delay_noticed_at is None


@pytest.mark.parametrize(
    ("most", "kind"), [(10_000, "message/rfc822"), (10, "text/rfc822-headers")]
)
def test_the_whole_message_comes_back_to_who_asked_unless_it_is_large(
    queue, hop, firm_connection, bob, read, monkeypatch, most, kind
):
    monkeypatch.setattr(dsn, "MAX_RETURNED_BODY", most)
    reference = queue.send(bob.address, JANE)
    QueuedMessage.objects.filter(reference=reference).update(dsn_full=True)
    queue.age(retry_schedule.LIFETIME)

    maintenance.run_due()

    _, _, returned, *_ = walk(*split(read(queue.inbox(bob)[0])))
    assert returned.content_type == kind
    assert b"Subject: Bundle" in returned.data()
    assert (split(RAW)[1] in returned.data()) is (kind == "message/rfc822")


@pytest.mark.parametrize("why", ["scheduled", "held", "asked to wait"])
def test_what_became_due_a_moment_ago_is_tried_before_it_is_called_late(
    queue, hop, firm_connection, bob, why
):
    """However long ago it was accepted."""
    reference = queue.send(bob.address, JANE)
    queue.age(timedelta(hours=5))
    row = queue.recipient(reference)
    row.attempts = 3 if why == "asked to wait" else 0
    if why == "held":
        row.status, row.hold = RecipientStatus.HELD, Hold.OPERATOR
        row.next_attempt_at = timezone.now() - timedelta(hours=5)
    row.save()
    if why == "held":
        with transaction.atomic():
            suspension.release([row])

    maintenance.notify_of_distrust({at(firm_connection)})

    assert queue.recipient(reference).delay_noticed_at is None


def test_what_waits_for_a_server_that_takes_mail_of_others_is_not_called_late(
    queue, hop, firm_connection, bob
):
    """One engine trusts the server and another does not: its own files are at fault."""
    queue.send(bob.address, JANE)
    queue.run()
    reference = queue.send(bob.address, JANE)
    due_for(reference, retry_schedule.TLS_PATIENCE)
    distrusted = {at(firm_connection)}

    maintenance.notify_of_distrust(distrusted)
    assert queue.recipient(reference).delay_noticed_at is None

    long_ago = timezone.now() - retry_schedule.TLS_PATIENCE - timedelta(seconds=1)
    Recipient.objects.exclude(finished_at=None).update(finished_at=long_ago)
    maintenance.notify_of_distrust(distrusted)
    assert queue.recipient(reference).delay_noticed_at is not None


def test_attempts_without_trust_are_no_delay_while_the_server_takes_mail_of_others(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, JANE)
    queue.run()
    reference = queue.send(bob.address, JANE)
    since = timezone.now() - retry_schedule.TLS_PATIENCE
    queued = Recipient.objects.filter(message__reference=reference)
    queued.update(tls_failures=retry_schedule.TLS_FAILURES, tls_failing_since=since)

    maintenance.run_due()
    assert queue.recipient(reference).delay_noticed_at is None

    long_ago = timezone.now() - retry_schedule.TLS_PATIENCE - timedelta(seconds=1)
    Recipient.objects.exclude(finished_at=None).update(finished_at=long_ago)
    maintenance.run_due()
    assert queue.recipient(reference).delay_noticed_at is not None


@pytest.mark.parametrize("hours", [2, 48])
def test_what_waits_untried_says_what_its_server_answered_to_others(
    queue, hop, firm_connection, bob, read, hours
):
    hop.stop()
    queue.send(bob.address, JANE)
    queue.run()
    queue.send(bob.address, JANE)
    untried = Recipient.objects.filter(attempts=0)
    queue.age(timedelta(hours=hours))
    untried.update(next_attempt_at=timezone.now() - timedelta(hours=hours))

    maintenance.run_due()

    notices = [dsn.read(read(message))[0] for message in queue.inbox(bob)]
    assert len(notices) == 2
    assert all("does not answer" in about.diagnostic for about in notices)


def at(connection):
    return f"connection:{connection.pk}"


def due_for(reference, time):
    Recipient.objects.filter(message__reference=reference).update(
        next_attempt_at=timezone.now() - time
    )


def crowd(row, destination, count):
    """Creates that many recipients which have been due for an hour."""
    Recipient.objects.bulk_create(
        Recipient(
            message_id=row.message_id,
            address=f"x{number}@elsewhere.example",
            destination=destination,
            next_attempt_at=timezone.now() - timedelta(hours=1),
        )
        for number in range(count)
    )


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
    queue.make_all_due()
    queue.run()

    assert len(queue.inbox(alice)) == 1
    assert queue.status(reference) is RecipientStatus.DELIVERED


def test_mail_for_a_mailbox_that_stays_full_is_returned(queue, alice, bob, read):
    fill(alice.mailbox)
    reference = queue.send(bob.address, alice.address)
    queue.run()

    queue.age(timedelta(hours=49))
    queue.make_all_due()
    maintenance.run_due()

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
    queue.make_all_due()
    queue.run()
    still_held = queue.status(reference)

    resume(organisation)
    queue.make_all_due()
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
    queue.make_all_due()
    queue.run()
    still_held = queue.status(reference)

    people.resume(person, by=None)
    queue.make_all_due()
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
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"]
    reference = queue.send(bob.address, JANE)
    parcels = claim.claim("runner")
    suspend(bob.organisation)
    refusal = answer(parcels[0], OutcomeState.FAILED, local_mailboxes.DELIVERED)
    outcome_recording.record_outcomes("runner", refusal)
    queue.run()
    waiting = queue.inbox(bob)

    resume(bob.organisation)
    queue.make_all_due()
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
