"""Mail that was not tried because its server is down is shown as deferred."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.queue.delivery import untried_recipients
from engine.queue.models import Recipient
from engine.trace.models import Event, EventKind
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(queue, hop, firm_connection, bob):
    """The reference of an untried message behind one that was tried."""
    hop.stop()
    queue.send(bob.address, JANE)
    queue.run()
    reference = queue.send(bob.address, JANE)
    row = Recipient.objects.filter(message__reference=reference)
    row.update(next_attempt_at=timezone.now() - 2 * untried_recipients.PATIENCE)
    return reference


def test_it_says_what_the_server_answered_to_others(waiting):
    [event] = untried_recipients.deferral_events(waiting)

    assert event.kind == EventKind.DEFERRED
    assert event.recipient == JANE
    assert "does not answer" in event.detail["reply"]
    assert event.at < timezone.now() - timedelta(minutes=1)
    assert not Event.objects.filter(reference=waiting, kind=EventKind.DEFERRED).exists()


def test_what_was_said_to_one_recipient_is_not_told_of_another(waiting):
    Recipient.objects.exclude(last_reply="").update(
        last_reply="450 4.2.0 kim@firm.example is away"
    )

    assert untried_recipients.deferral_events(waiting) == []


def test_what_has_just_been_accepted_or_tried_is_not_untried(waiting, queue, bob):
    assert untried_recipients.deferral_events(queue.send(bob.address, JANE)) == []

    Recipient.objects.update(last_reply="451 4.4.1 The next hop does not answer")
    assert untried_recipients.deferral_events(waiting) == []


def test_it_takes_few_queries(waiting, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        untried_recipients.deferral_events(waiting)
