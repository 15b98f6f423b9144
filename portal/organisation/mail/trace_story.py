"""The steps of one message, as the organisation may see them.

The sender's organisation sees the outcome for every recipient; the recipient's sees its
own recipients only. An author sees that a distribution list sent the message on, and not
its members. What was refused is seen by the organisation that was refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.certificates import visibility
from engine.certificates.models import Role
from engine.certificates.visibility import View
from engine.queue.delivery import untried_recipients
from engine.registry.models import Organisation
from engine.routing import routes
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Step, Visibility, step
from portal.organisation.mail import trace_visibility

EVENTS = 5000  # of one message that are read; a list may have as many members
SHOWN = 500  # of them on its page
NOT_REACHED = "Could not be delivered; it is noted beside the member of the list"


@dataclass(frozen=True, slots=True)
class MessageTrace:
    """Everything that the organisation may see of one message.

    `sent_on` holds the references of copies that lists made, where it may see those.
    """

    reference: str
    sender: str
    is_sent: bool
    is_refused: bool
    steps: list[Step]
    is_cut: bool
    sent_on: list[str]


def trace(organisation: Organisation, reference: str) -> MessageTrace | None:
    """Returns the trace of a message; None where the organisation may not see it."""
    events = list(Event.objects.filter(reference=reference).order_by("pk")[:EVENTS])
    events += untried_recipients.deferral_events(reference)
    seen = trace_visibility.visible_events(events, organisation)
    if not seen:
        return None
    first = seen[0]
    is_refused = first.kind != EventKind.RECEIVED
    owner = trace_visibility.owner_of_outcomes(first, routes.current())
    return MessageTrace(
        reference=reference,
        sender=str(first.detail.get("sender", "")),
        is_sent=is_refused or owner == organisation.pk,
        is_refused=is_refused,
        steps=[_step(event, first) for event in seen[:SHOWN]],
        is_cut=len(seen) > SHOWN,
        sent_on=[r for r in _sent_on(seen) if _may_see(organisation, r)],
    )


def certifiable(organisation: Organisation, reference: str) -> View | None:
    """Returns what the organisation may have certified of a message; None if nothing.

    Without what became of a list's members: its owner certifies the list's own copy.
    """
    events = visibility.events_of(reference)
    seen = trace_visibility.visible_events(events, organisation)
    if not seen or seen[0].kind != EventKind.RECEIVED:
        return None
    received, *others = seen
    owner = trace_visibility.owner_of_outcomes(received, routes.current())
    is_sent = owner == organisation.pk
    return View(
        reference=reference,
        role=Role.SENDING_ORGANISATION if is_sent else Role.RECEIVING_ORGANISATION,
        name=organisation.name,
        events=[received, *(one for one in others if not one.detail.get("list"))],
        organisation_id=organisation.pk,
    )


def _step(event: Event, received: Event) -> Step:
    """Hides from the author of a message to a list why a member could not be reached."""
    shown = step(event, Visibility.MEMBER)
    of_list = event.detail.get("list") or received.detail.get("list")
    if of_list and event.kind == EventKind.FAILED:
        return replace(shown, text=NOT_REACHED)
    return shown


def _sent_on(events: Iterable[Event]) -> list[str]:
    found = (str(event.detail.get("sent_on_as", "")) for event in events)
    return list(filter(None, found))


def _may_see(organisation: Organisation, reference: str) -> bool:
    events = Event.objects.filter(reference=reference).order_by("pk")[:EVENTS]
    return bool(trace_visibility.visible_events(list(events), organisation))
