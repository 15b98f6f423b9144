"""Reads the outcomes of a rehearsal's two messages from the trace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from engine.database import clock
from engine.trace.models import Event, EventKind
from onboarding.connecting import connection_test_mailbox, reply_explanations
from onboarding.connecting.models import Rehearsal, StepKey, StepState
from onboarding.connecting.rehearsals import set_step

# How long a rehearsal waits for the member's message and for the outcome of ours.
PATIENCE = timedelta(minutes=30)
SEEN = 20  # only so many of the newest deliveries are considered

GOOD = (EventKind.RELAYED, EventKind.DELIVERED)
BAD = (EventKind.FAILED, EventKind.DROPPED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome so far of one of the two messages."""

    state: StepState
    seen: str = ""
    fault: str = ""


def update(rehearsal: Rehearsal) -> None:
    """Updates the steps of both messages, and finishes a rehearsal after PATIENCE."""
    if rehearsal.finished_at is not None:
        return
    states = {
        StepKey(step.key): StepState(step.state) for step in rehearsal.steps.all()
    }
    for key, look in ((StepKey.OUT, _outgoing), (StepKey.IN, _incoming)):
        if states[key] == StepState.RUNNING:
            found = look(rehearsal)
            set_step(rehearsal, key, found.state, seen=found.seen, fault=found.fault)
            states[key] = found.state
    left = [key for key, state in states.items() if not state.is_final]
    if _is_late(rehearsal):
        for key in left:
            set_step(rehearsal, key, StepState.SKIPPED)
    elif left:
        return
    rehearsal.finished_at = timezone.now()
    rehearsal.save(update_fields=["finished_at"])


def _outgoing(rehearsal: Rehearsal) -> Outcome:
    if not rehearsal.reference:
        return Outcome(StepState.RUNNING)
    events = Event.objects.filter(reference=rehearsal.reference).exclude(recipient="")
    last = events.order_by("-pk").first()
    if last is None:
        return _unless_late(rehearsal, "Our message is being delivered.")
    said = str(last.detail.get("reply", ""))
    if last.kind in GOOD:
        return Outcome(StepState.PASSED, said)
    if last.kind in BAD:
        return Outcome(
            StepState.FAILED, said, reply_explanations.explain_outgoing(said)
        )
    waiting = f"Your server has not accepted it yet: {said}. We keep trying."
    return _unless_late(rehearsal, waiting, reply_explanations.explain_outgoing(said))


def _incoming(rehearsal: Rehearsal) -> Outcome:
    if _has_arrived(rehearsal):
        return Outcome(
            StepState.PASSED, f"It arrived at {connection_test_mailbox.address()}"
        )
    fault = _refusal(rehearsal)
    if _is_late(rehearsal):
        return Outcome(StepState.FAILED, "", fault or reply_explanations.NOTHING_CAME)
    return Outcome(StepState.RUNNING, "", fault)


def _has_arrived(rehearsal: Rehearsal) -> bool:
    """True if a message arrived at the test address over this connection since the start.

    Mail of the organisation over another of its connections does not count.
    """
    arrived = Event.objects.filter(
        recipient=connection_test_mailbox.address(),
        kind=EventKind.DELIVERED,
        at__gte=rehearsal.started_at,
    ).order_by("-pk")
    references = arrived.values_list("reference", flat=True)[:SEEN]
    received = Event.objects.filter(
        reference__in=list(references), kind=EventKind.RECEIVED
    )
    return any(
        event.detail.get("connection_id") == rehearsal.connection_id
        for event in received
    )


def _refusal(rehearsal: Rehearsal) -> str:
    """Explains the newest refusal of one of their servers since the start, or ""."""
    connection = rehearsal.connection
    refused = Event.objects.filter(
        kind=EventKind.REFUSED,
        at__gte=rehearsal.started_at,
        detail__organisation_id=connection.organisation_id,
        detail__source="receive",
    )
    last = refused.order_by("-pk").first()
    return reply_explanations.explain_incoming(connection, last.detail) if last else ""


def _is_late(rehearsal: Rehearsal) -> bool:
    return clock.now() - rehearsal.started_at > PATIENCE


def _unless_late(rehearsal: Rehearsal, seen: str, fault: str = "") -> Outcome:
    if _is_late(rehearsal):
        return Outcome(
            StepState.FAILED, seen, fault or reply_explanations.STILL_WAITING
        )
    return Outcome(StepState.RUNNING, seen)
