"""Says in plain words why a recipient's copy waits or was returned. Pure functions."""

from __future__ import annotations

from engine.mail import advice
from engine.queue.models import Hold, RecipientStatus
from engine.routing.facts import RouteKind
from engine.trace import timeline
from engine.trace.models import EventKind

UNTRIED = "It has not been tried yet."
BY_HOLD = {
    Hold.OPERATOR: "An operator of the service keeps it back for now. Ask the helpdesk.",
    Hold.RESTORE: "The service was restored from a backup, and an operator is checking "
    "whether it was sent before.",
    Hold.UNPROVEN: "It could not be proved who sent it, and the sender’s organisation has "
    "such mail held. Ask the helpdesk.",
    Hold.WITHDRAWN: "Operators of the service withdrew it before it was delivered. Ask the "
    "helpdesk.",
}
RETURNED = "Could not be delivered, and was returned to you"
STOPPED = "Stopped by an operator of the service, and returned to you"


def why_waiting(hold: str, reply: str) -> str:
    """Returns why a copy waits, by its hold and the last reply or reason."""
    if hold == Hold.SUSPENSION:
        return f"{reply.rstrip('.')}."
    if hold:
        return BY_HOLD[Hold(hold)]
    return of_reply(reply) or UNTRIED


def of_reply(reply: str) -> str:
    """Returns a reply in plain words, or quotes it; empty where there was none."""
    return advice.of_reply(reply) or (f"The reply was: {reply}" if reply else "")


def words_of(status: str, last_reply: str, destination: str = "") -> str:
    """Returns what became of a recipient's copy, in a sentence without its end."""
    if status in (RecipientStatus.QUEUED, RecipientStatus.HELD):
        return ""
    if status == RecipientStatus.FAILED:
        return RETURNED
    if status == RecipientStatus.DROPPED:
        return timeline.TAKEN_BACK if last_reply == timeline.TAKEN_BACK else STOPPED
    if destination.partition(":")[0] == RouteKind.ADMINISTRATORS:
        return timeline.TO_READERS
    return timeline.WORDS[EventKind(status)]
