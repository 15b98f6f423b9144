from __future__ import annotations

from collections.abc import Iterable

from engine.audit.record import record
from engine.registry.actor import Actor
from engine.registry.models import Provider, ProviderNetworks
from engine.registry.networks import Network
from engine.registry.verbs import verb


@verb
def set_networks(
    provider: Provider, networks: Iterable[Network], *, by: Actor | None
) -> bool:
    """Keep what a provider publishes as its own. Returns whether it has changed."""
    row, _ = ProviderNetworks.objects.get_or_create(provider=provider)
    before, after = set(row.networks), {str(network) for network in networks}
    if before == after:
        return False
    row.networks = sorted(after)
    row.save()
    detail = {"added": sorted(after - before), "removed": sorted(before - after)}
    record("provider.networks_changed", row, detail=detail, by=by)
    return True
