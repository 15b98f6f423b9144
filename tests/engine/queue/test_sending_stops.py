from __future__ import annotations

import pytest

from engine.database import clock
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.errors import TemporaryFailure
from engine.mail.message import split
from engine.queue import sending_stops
from engine.queue.delivery import maintenance
from engine.queue.delivery_status import reasons
from engine.queue.enqueue import commit, local_submission
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Hold, Recipient, RecipientStatus, Source
from engine.registry.models import Posting, SendingStop
from engine.storage import content
from engine.storage.models import AutomaticMail, AutomaticMailKind
from tests import factories
from tests.engine.queue.conftest import JANE, RAW

pytestmark = pytest.mark.django_db


def lift(stop, by):
    """Lifts a stop, and has what it held looked at again."""
    sending_stops.lift(stop, reason="Over", by=by)
    Recipient.objects.filter(hold=Hold.SUSPENSION).update(next_attempt_at=clock.now())
    maintenance.run_due()


@pytest.mark.parametrize("stopped", ["person", "organisation"])
def test_waiting_mail_is_held_and_goes_on(
    queue, hop, firm_connection, bob, olive, stopped
):
    reference = queue.send(bob.address, JANE)
    stop = sending_stops.stop(
        bob if stopped == "person" else bob.organisation, reason="Spam", by=olive
    )

    queue.run()
    held = queue.recipient(reference)
    assert (held.status, held.hold) == (RecipientStatus.HELD, Hold.SUSPENSION)
    assert "is stopped for now by an operator" in reasons.why_waiting(
        held.hold, held.last_reply
    )
    assert hop.received == []

    lift(stop, olive)
    queue.run()
    assert queue.status(reference) == RecipientStatus.RELAYED


def test_what_came_over_a_stopped_connection_is_held(
    queue, hop, firm_connection, bob, olive
):
    other = factories.make_connection(firm_connection.organisation, name="Other")
    sent = {}
    for connection in (firm_connection, other):
        accepted = AcceptedMessage(
            envelope=Envelope.simple(Address.parse(JANE), Address.parse(JANE)),
            destinations=(f"connection:{firm_connection.pk}",),
            kept=content.keep(*split(RAW)),
            source=Source.RECEIVE,
            organisation_id=firm_connection.organisation_id,
            connection_id=connection.pk,
            detail={"connection_id": connection.pk},
        )
        [sent[connection]] = commit.commit_messages([accepted])
    stop = sending_stops.stop(other, reason="Spam", by=olive)

    queue.run()

    assert queue.status(sent[firm_connection]) == RecipientStatus.RELAYED
    assert queue.status(sent[other]) == RecipientStatus.HELD
    lift(stop, olive)
    queue.run()
    assert queue.status(sent[other]) == RecipientStatus.RELAYED


def test_what_a_list_sends_on_is_held_by_its_authors_address(
    queue, hop, firm_connection, northfield, olive
):
    team = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    factories.make_list(
        "all@northfield.secure.example", northfield, JANE, posting=Posting.COMMUNITY
    )
    queue.send(team.address, "all@northfield.secure.example")
    queue.run()
    [copy] = Recipient.objects.filter(message__source=Source.LIST)
    stop = sending_stops.stop_address(team.address, reason="Spam", by=olive)

    queue.run(until_nothing_is_due=True)

    copy.refresh_from_db()
    assert copy.status == RecipientStatus.HELD
    lift(stop, olive)
    queue.run(until_nothing_is_due=True)
    assert len(hop.received) == 1


@pytest.mark.parametrize("source", [Source.WEBMAIL, Source.API])
def test_webmail_and_the_api_are_asked_to_try_again(bob, alice, olive, source):
    stop = sending_stops.stop_address(bob.address, reason="Spam", by=olive)
    raw = RAW.replace(b"a@b.example", bob.address.encode())
    by = bob
    if source == Source.API:
        by = factories.make_api_key(bob.organisation, "digest")
    envelope = Envelope.simple(Address.parse(bob.address), Address.parse(alice.address))

    with pytest.raises(TemporaryFailure, match="stopped for now"):
        local_submission.submit(raw, envelope=envelope, source=source, by=by)

    sending_stops.lift(stop, reason="Over", by=olive)
    assert local_submission.submit(raw, envelope=envelope, source=source, by=by)


def test_a_forward_from_the_mailbox_waits(queue, alice, bob, olive):
    stop = sending_stops.stop(bob, reason="Spam", by=olive)
    queue.send(alice.address, bob.address)
    [received] = queue.inbox(bob)
    AutomaticMail.objects.create(
        message=received, kind=AutomaticMailKind.FORWARD, target=alice.address
    )
    before = len(queue.inbox(alice))

    maintenance.run_due()
    row = AutomaticMail.objects.get()
    assert (row.attempts, len(queue.inbox(alice))) == (0, before)

    sending_stops.lift(stop, reason="Over", by=olive)
    AutomaticMail.objects.update(due_at=row.due_at.replace(year=2020))
    maintenance.run_due()
    assert not AutomaticMail.objects.exists()


def test_the_administrators_are_notified(queue, alice, bob, olive):
    stop = sending_stops.stop(bob, reason="Sends spam", by=olive)
    sending_stops.lift(stop, reason="Password changed", by=olive)

    notices = queue.inbox(alice)
    assert {one.subject for one in notices} == {
        f"Sending is stopped: {bob.address}",
        f"Sending goes on: {bob.address}",
    }
    texts = b"".join(content.read(one) for one in notices)
    assert b"Sends spam" in texts
    assert b"Password changed" in texts
    assert not SendingStop.objects.exists()
