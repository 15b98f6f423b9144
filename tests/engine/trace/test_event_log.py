from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from engine.trace import event_log
from engine.trace.models import Event, EventKind


@pytest.mark.django_db
def test_events_are_kept_in_order_with_their_facts():
    event_log.save(
        [
            event_log.event("AB12", EventKind.RECEIVED, size=5),
            event_log.event("AB12", EventKind.DELIVERED, "a@b.example", reply="250 OK"),
        ]
    )

    first, second = Event.objects.filter(reference="AB12")
    assert (first.kind, first.recipient, first.detail) == ("received", "", {"size": 5})
    assert (second.kind, second.recipient) == ("delivered", "a@b.example")
    assert first.at <= second.at


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [-5, 5])
def test_events_bear_the_databases_time(minutes: int) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        said = event_log.event("A1", EventKind.HELD).at

    assert abs(said - timezone.now()) < timedelta(seconds=30)
