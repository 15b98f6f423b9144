from __future__ import annotations

from engine.audit.record import record
from engine.registry.actor import Actor
from engine.registry.addresses import check_is_reachable, claimed, in_community
from engine.registry.loops import check_no_loop
from engine.registry.models import Alias, Organisation
from engine.registry.verbs import verb


@verb
def add(
    organisation: Organisation, *, address: str, target: str, by: Actor | None
) -> Alias:
    """Make one of the organisation's addresses mean another address."""
    key = claimed(organisation, address)
    meant = in_community(target)
    # First: an address that means itself is taken by nobody yet.
    check_no_loop(key, meant.key)
    check_is_reachable(meant)
    alias = Alias.objects.create(
        address=key, target=meant.key, organisation=organisation
    )
    _record("alias.added", alias, by)
    return alias


@verb
def remove(alias: Alias, *, by: Actor | None) -> None:
    """Take an alias away; its address means nothing from then on."""
    _record("alias.removed", alias, by)
    alias.delete()


def _record(event: str, alias: Alias, by: Actor | None) -> None:
    record(
        event,
        alias,
        organisation_key=alias.organisation_id,
        detail={"address": alias.address, "target": alias.target},
        by=by,
    )
