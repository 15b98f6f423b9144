"""Finds the operators' stop that a message falls under, by who and what sent it."""

from __future__ import annotations

from collections.abc import Iterable

from engine.mail import role_addresses, smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import TemporaryFailure
from engine.registry.models import StopKind
from engine.routing.facts import StopFacts
from engine.routing.snapshot import Routes

ASK = "nothing is lost: try again later, or call the helpdesk"


def check_not_stopped(
    routes: Routes,
    organisation_id: int | None,
    *,
    person_id: int | None = None,
    connection_id: int | None = None,
    addresses: Iterable[Address | None] = (),
) -> None:
    """Checks that no operator has stopped the sender.

    Raises TemporaryFailure (450 4.7.1): the message stays with its server or author.
    """
    reason = reason_of_stop(
        routes,
        organisation_id,
        person_id=person_id,
        connection_id=connection_id,
        addresses=addresses,
    )
    if reason:
        text = f"{reason}; {ASK}"
        raise TemporaryFailure(smtp_replies.SENDING_STOPPED.saying(text))


def reason_of_stop(
    routes: Routes,
    organisation_id: int | None,
    *,
    person_id: int | None = None,
    connection_id: int | None = None,
    addresses: Iterable[Address | None] = (),
) -> str:
    """Returns in words what is stopped; empty where nothing is.

    An address counts in either form, and with a detail after a plus, under the
    organisation that has its domain, too.
    """
    if not routes.stopped:
        # Before anything of the addresses: it is asked several times for each message.
        return ""
    keys: dict[int, set[str]] = {organisation_id or 0: set()}
    for address in addresses:
        if address is not None:
            owner = routes.organisation_of(address) or 0
            keys.setdefault(owner, set()).update(_keys(routes, address))
    for owner, sent_as in keys.items():
        facts = routes.organisations.get(owner)
        for stop in facts.stops if facts else ():
            match stop.kind:
                case StopKind.PERSON:
                    is_hit = stop.subject_id == person_id or stop.address in sent_as
                case StopKind.ADDRESS:
                    is_hit = stop.address in sent_as
                case StopKind.CONNECTION:
                    is_hit = stop.subject_id == connection_id
                case StopKind.ORGANISATION:
                    is_hit = True
            if is_hit:
                return _in_words(stop, facts.name if facts else "")
    return ""


def _keys(routes: Routes, address: Address) -> set[str]:
    try:
        known = routes.domains.to_community(address)
    except InvalidAddressError:
        return {address.key}
    return {known.key, role_addresses.without_detail(known).key}


def _in_words(stop: StopFacts, organisation_name: str) -> str:
    what = f"from {organisation_name}"
    if stop.kind == StopKind.CONNECTION:
        what = f"over a connection of {organisation_name}"
    elif stop.address:
        what = f"from <{stop.address}>"
    return f"Mail {what} is stopped for now by an operator of this service"
