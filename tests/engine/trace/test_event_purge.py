from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pydantic import ValidationError

from engine.trace import event_purge
from engine.trace.models import Event, EventKind
from portal.configuration.environment import Environment

pytestmark = pytest.mark.django_db

STORY = (
    EventKind.RECEIVED,
    EventKind.DEFERRED,
    EventKind.HELD,
    EventKind.RELEASED,
    EventKind.RELAYED,
)


@pytest.fixture(autouse=True)
def _days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.POSTERN, "trace_days", 100)
    monkeypatch.setattr(settings.POSTERN, "proof_days", 1_000)


def record_events(days: int, *kinds: EventKind, reference: str = "AB12") -> None:
    """Records one event of each kind at the same time, as a group commit does."""
    at = timezone.now() - timedelta(days=days)
    Event.objects.bulk_create(
        [Event(reference=reference, kind=kind, at=at) for kind in kinds]
    )


def kinds_of(reference: str) -> list[str]:
    rows = Event.objects.filter(reference=reference)
    return list(rows.values_list("kind", flat=True))


def test_steps_go_and_what_proves_delivery_stays() -> None:
    record_events(99, *STORY, reference="YOUNG")
    record_events(101, *STORY, reference="OLD")
    record_events(1_001, *STORY, reference="ENDED")

    event_purge.purge()

    assert kinds_of("YOUNG") == list(STORY)
    assert kinds_of("OLD") == [EventKind.RECEIVED, EventKind.RELAYED]
    assert kinds_of("ENDED") == []


def test_every_kind_is_a_step_or_a_proof() -> None:
    """The outcome of a message is kept, and so is any kind added later."""
    for kind in EventKind:
        record_events(101, kind, reference=kind.value)

    event_purge.purge()

    kept = {kind for kind in EventKind if kinds_of(kind.value)}
    assert kept == {
        EventKind.RECEIVED,
        EventKind.DELIVERED,
        EventKind.RELAYED,
        EventKind.EXPANDED,
        EventKind.FAILED,
        EventKind.DROPPED,
        EventKind.RECALLED,
        EventKind.WITHDRAWN,
        EventKind.PUT_BACK,
    }


def test_more_than_a_slice_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_purge, "SLICE", 3)
    record_events(101, *STORY * 4)

    event_purge.purge()

    assert set(kinds_of("AB12")) == {EventKind.RECEIVED, EventKind.RELAYED}
    assert len(kinds_of("AB12")) == 8


def test_what_stays_is_not_looked_through_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_purge, "SLICE", 10)
    record_events(101, *[EventKind.RELAYED] * 200)
    event_purge.purge()
    record_events(100, EventKind.DEFERRED)

    with CaptureQueriesContext(connection) as queries:
        assert event_purge.purge() == 1

    assert len(queries) < 25
    assert EventKind.DEFERRED not in kinds_of("AB12")


def test_proofs_are_kept_no_shorter_than_steps() -> None:
    with pytest.raises(ValidationError, match="POSTERN_PROOF_DAYS must be at least"):
        Environment(env="test", trace_days=400, proof_days=399)
