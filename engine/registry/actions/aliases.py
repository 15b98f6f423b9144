"""Actions on aliases."""

from __future__ import annotations

from engine.registry.addresses.allocation import (
    available_key,
    check_is_reachable,
    check_no_loop,
    to_community_address,
)
from engine.registry.models import Actor, Alias, Organisation
from engine.registry.verbs import record_action, verb


@verb
def add(
    organisation: Organisation, *, address: str, target: str, by: Actor | None
) -> Alias:
    """Adds an alias: mail to one of the organisation's addresses goes to `target`.

    Raises PolicyError if the address is not free, or the target unknown or a loop.
    """
    key = available_key(organisation, address)
    destination = to_community_address(target)
    # Before the check of the target: an alias to itself has no recipient yet, and must
    # be refused as a loop rather than as an unknown address.
    check_no_loop(key, destination.key)
    check_is_reachable(destination)
    alias = Alias.objects.create(
        address=key, target=destination.key, organisation=organisation
    )
    _record("alias.added", alias, by)
    return alias


@verb
def remove(alias: Alias, *, by: Actor | None) -> None:
    """Removes an alias; mail to its address is refused from then on."""
    _record("alias.removed", alias, by)
    alias.delete()


def _record(event: str, alias: Alias, by: Actor | None) -> None:
    detail = {"address": alias.address, "target": alias.target}
    record_action(event, alias, detail, by=by)
