"""Actions on sending stops: senders whose mail an operator has stopped for now."""

from __future__ import annotations

from engine.mail.address import Address, InvalidAddressError
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    Connection,
    Domain,
    Organisation,
    Person,
    SendingStop,
    StopKind,
)
from engine.registry.verbs import record_action, verb

Stoppable = Person | Connection | Organisation


@verb
def stop(sender: Stoppable, *, reason: str, by: Actor | None) -> SendingStop:
    """Stops what a person, a connection or an organisation sends.

    Raises PolicyError where it is stopped already, and for a person outside every
    organisation, who sends no mail.
    """
    match sender:
        case Person():
            owner, kind, address = sender.organisation, StopKind.PERSON, sender.address
            if owner is None:
                raise PolicyError(f"{sender.address} belongs to no organisation.")
            name = sender.address
        case Connection():
            owner, kind, address = sender.organisation, StopKind.CONNECTION, ""
            name = f"{sender.name} of {owner}"
        case Organisation():
            owner, kind, address = sender, StopKind.ORGANISATION, ""
            name = sender.name
    made = SendingStop(
        kind=kind, subject_id=sender.pk, address=address, organisation=owner, name=name
    )
    return _place(made, reason=reason, by=by)


@verb
def stop_address(address: str, *, reason: str, by: Actor | None) -> SendingStop:
    """Stops mail from an address, in either of its forms; a person's own stops the person.

    Raises PolicyError for an address outside every verified domain, and where it is
    stopped already.
    """
    try:
        parsed = Address.parse(address.strip())
    except InvalidAddressError:
        raise PolicyError(f"“{address}” is not an address.") from None
    domain = Domain.objects.verified().known_as(parsed.domain).first()
    if domain is None:
        raise PolicyError(f"“{parsed.domain}” is the domain of no organisation here.")
    key = Address(parsed.local, domain.community_domain).key
    person = Person.objects.filter(address=key, organisation__isnull=False).first()
    if person is not None:
        return stop(person, reason=reason, by=by)
    made = SendingStop(
        kind=StopKind.ADDRESS, address=key, organisation=domain.organisation, name=key
    )
    return _place(made, reason=reason, by=by)


@verb
def lift(stopped: SendingStop, *, reason: str, by: Actor | None) -> None:
    """Lets the sender send again. Raises PolicyError where another operator did."""
    if not SendingStop.objects.filter(pk=stopped.pk).exists():
        raise PolicyError(f"{stopped.name} may send again already.")
    _record("sending.resumed", stopped, reason=reason, by=by)
    stopped.delete()


def _place(made: SendingStop, *, reason: str, by: Actor | None) -> SendingStop:
    same = SendingStop.objects.filter(
        kind=made.kind, subject_id=made.subject_id, address=made.address
    )
    if same.exists():
        raise PolicyError(f"Sending by {made.name} is stopped already.")
    made.reason = reason.strip()
    made.placed_by = str(by or "")
    made.save()
    _record("sending.stopped", made, reason=made.reason, by=by)
    return made


def _record(event: str, stop: SendingStop, *, reason: str, by: Actor | None) -> None:
    detail = {"kind": stop.kind, "sender": stop.name}
    record_action(event, stop, detail, reason=reason, by=by)
