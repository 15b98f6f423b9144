"""What became of a rehearsal's two messages, read from the trace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from engine import clock
from engine.trace.models import Event, EventKind
from onboarding.connecting import faults, mailbox
from onboarding.connecting.models import Rehearsal, StepKey, StepState
from onboarding.connecting.rehearsing import set_step

# So long a message from the member is waited for, and the outcome of ours.
PATIENCE = timedelta(minutes=30)
SEEN = 20  # of the newest events, so many are looked at

GOOD = (EventKind.RELAYED, EventKind.DELIVERED)
BAD = (EventKind.FAILED, EventKind.DROPPED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where one of the two messages stands."""

    state: StepState
    seen: str = ""
    fault: str = ""


def follow(rehearsal: Rehearsal) -> None:
    """Bring the two messages' steps up to date; finish what has waited long enough."""
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
        return _unless_late(rehearsal, "Our message is on its way.")
    said = str(last.detail.get("reply", ""))
    if last.kind in GOOD:
        return Outcome(StepState.PASSED, said)
    if last.kind in BAD:
        return Outcome(StepState.FAILED, said, faults.of_outgoing(said))
    waiting = f"Your server did not take it yet: {said}. We go on trying."
    return _unless_late(rehearsal, waiting, faults.of_outgoing(said))


def _incoming(rehearsal: Rehearsal) -> Outcome:
    if _has_arrived(rehearsal):
        return Outcome(StepState.PASSED, f"It arrived at {mailbox.address()}")
    fault = _refusal(rehearsal)
    if _is_late(rehearsal):
        return Outcome(StepState.FAILED, "", fault or faults.NOTHING_CAME)
    return Outcome(StepState.RUNNING, "", fault)


def _has_arrived(rehearsal: Rehearsal) -> bool:
    """Whether this very connection brought a message to the test address since."""
    arrived = Event.objects.filter(
        recipient=mailbox.address(),
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
    """The newest thing that a server of theirs was refused since, in plain words."""
    connection = rehearsal.connection
    refused = Event.objects.filter(
        kind=EventKind.REFUSED,
        at__gte=rehearsal.started_at,
        detail__organisation_id=connection.organisation_id,
        detail__source="receive",
    )
    last = refused.order_by("-pk").first()
    return faults.of_incoming(connection, last.detail) if last else ""


def _is_late(rehearsal: Rehearsal) -> bool:
    return clock.now() - rehearsal.started_at > PATIENCE


def _unless_late(rehearsal: Rehearsal, seen: str, fault: str = "") -> Outcome:
    if _is_late(rehearsal):
        return Outcome(StepState.FAILED, seen, fault or faults.STILL_WAITING)
    return Outcome(StepState.RUNNING, seen)
