"""Stops what a sender sends, lifts the stop, and notifies the administrators.

The registry's change notice carries a stop to every process within two seconds. New mail
is refused for now (450); mail that waits is held when it falls due, and queued again
within seconds of the end (`delivery.suspension`).
"""

from __future__ import annotations

from django.db import transaction

from engine.queue.notifications import service_notices
from engine.registry.actions import sending_stops
from engine.registry.actions.sending_stops import Stoppable
from engine.registry.models import Actor, SendingStop

STOPPED = """\
An operator of this service has stopped mail from this sender for now.

Sender: {name}
Organisation: {organisation}
Reason: {reason}

Mail programs, webmail, the API and servers are asked to try again later. Mail that was
accepted and has not left waits. Nothing is lost, and everything goes on once the stop is
lifted. The sender still receives mail.

If you know what happened, or did not expect this, call the helpdesk.
"""
LIFTED = """\
An operator of this service has lifted the stop: this sender may send mail again.

Sender: {name}
Organisation: {organisation}
Reason: {reason}

Mail that waited is delivered now. Servers and programs that were asked to wait try again
by themselves.
"""


@transaction.atomic
def stop(sender: Stoppable, *, reason: str, by: Actor | None) -> SendingStop:
    """Stops what a person, connection or organisation sends. Raises PolicyError."""
    made = sending_stops.stop(sender, reason=reason, by=by)
    _notify(made, "Sending is stopped: {name}", STOPPED, reason)
    return made


@transaction.atomic
def stop_address(address: str, *, reason: str, by: Actor | None) -> SendingStop:
    """Stops mail from an address; a person's own stops the person. Raises PolicyError."""
    made = sending_stops.stop_address(address, reason=reason, by=by)
    _notify(made, "Sending is stopped: {name}", STOPPED, reason)
    return made


@transaction.atomic
def lift(stopped: SendingStop, *, reason: str, by: Actor | None) -> None:
    """Lets the sender send again. Raises PolicyError where another operator did."""
    sending_stops.lift(stopped, reason=reason, by=by)
    _notify(stopped, "Sending goes on: {name}", LIFTED, reason)


def _notify(stop: SendingStop, subject: str, text: str, reason: str) -> None:
    """Notifies the organisation's administrators, and the operators beside the actor."""
    facts = {
        "name": stop.name,
        "organisation": stop.organisation.name,
        "reason": reason,
    }
    for address in set(service_notices.alert_recipients(stop.organisation_id)):
        service_notices.send_notice(
            address, subject=subject.format(**facts), text=text.format(**facts)
        )
