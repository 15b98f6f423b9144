from __future__ import annotations

import pytest

from engine.trace import record
from engine.trace.models import Event, EventKind


@pytest.mark.django_db
def test_events_are_kept_in_order_with_their_facts():
    record.events(
        [
            record.event("AB12", EventKind.RECEIVED, size=5),
            record.event("AB12", EventKind.DELIVERED, "a@b.example", reply="250 OK"),
        ]
    )

    first, second = Event.objects.filter(reference="AB12")
    assert (first.kind, first.recipient, first.detail) == ("received", "", {"size": 5})
    assert (second.kind, second.recipient) == ("delivered", "a@b.example")
    assert first.at <= second.at
