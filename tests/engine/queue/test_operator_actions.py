from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.queue import operator_actions
from engine.queue.delivery import claim
from engine.queue.models import (
    RECIPIENT_TRANSITIONS,
    Hold,
    Recipient,
    RecipientStatus,
)
from engine.trace.models import Event
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(queue, hop, firm_connection, bob):
    return queue.recipient(queue.send(bob.address, JANE))


def test_held_mail_stays_until_it_is_released(queue, waiting, hop, olive):
    operator_actions.hold([waiting.pk], reason="Looks odd", by=olive)
    queue.run()
    held = Recipient.objects.get(pk=waiting.pk)

    operator_actions.release([waiting.pk], by=olive)
    queue.run()

    assert (held.status, held.hold) == (RecipientStatus.HELD, Hold.OPERATOR)
    assert len(hop.received) == 1


def test_dropped_mail_is_gone_and_its_sender_told(queue, waiting, hop, olive, bob):
    dropped = operator_actions.drop([waiting.pk], reason="Sent in error", by=olive)
    queue.run()

    row = Recipient.objects.get(pk=waiting.pk)
    assert dropped == 1
    assert row.status == RecipientStatus.DROPPED
    assert row.finished_at is not None
    assert hop.received == []
    assert len(queue.inbox(bob)) == 1


def test_retry_does_not_wait_for_the_backoff(queue, waiting, hop, olive):
    hop.rcpt_replies["jane@firm.example"] = ["450 4.2.0 Greylisted"]
    queue.run()

    operator_actions.retry([waiting.pk], by=olive)
    queue.run()

    assert len(hop.received) == 1


def test_mail_being_delivered_is_left_alone(waiting, olive):
    claim.claim("runner")

    assert operator_actions.hold([waiting.pk], reason="Too late", by=olive) == 0
    assert operator_actions.drop([waiting.pk], reason="Too late", by=olive) == 0


def test_finished_mail_is_left_alone(queue, waiting, olive):
    queue.run()

    assert operator_actions.hold([waiting.pk], reason="Too late", by=olive) == 0
    assert operator_actions.drop([waiting.pk], reason="Too late", by=olive) == 0
    assert operator_actions.retry([waiting.pk], by=olive) == 0


def test_every_verb_is_audited_and_traced(queue, waiting, olive):
    operator_actions.hold([waiting.pk], reason="Looks odd", by=olive)
    operator_actions.release([waiting.pk], by=olive)
    operator_actions.retry([waiting.pk], by=olive)
    operator_actions.drop([waiting.pk], reason="Sent in error", by=olive)

    entries = Entry.objects.filter(by_key=str(olive.pk)).order_by("id")
    events = Event.objects.filter(reference=waiting.message.reference)
    assert [entry.event for entry in entries] == [
        "queue.held",
        "queue.released",
        "queue.retried",
        "queue.dropped",
    ]
    assert entries[0].detail["reason"] == "Looks odd"
    kinds = list(events.values_list("kind", flat=True))
    assert kinds == ["received", "held", "released", "dropped"]


def test_every_status_has_its_transitions():
    assert set(RECIPIENT_TRANSITIONS) == set(RecipientStatus)
