"""Jobs of the registry: what is looked up by the clock."""

from __future__ import annotations

from django_q.models import Schedule

from engine import slices
from engine.lanes import Lane
from engine.registry import published
from engine.registry.actions import providers, recovery
from engine.registry.models import Provider
from engine.registry.providers import PROVIDERS


def refresh_providers() -> None:
    """Look up each provider's networks; doing it again changes nothing.

    Raises DnsUnavailable or PolicyError: what was known stays, and the job failed.
    """
    slices.for_each(Provider, _refresh)


def _refresh(provider: Provider) -> None:
    found = published.networks(PROVIDERS[provider].spf_name)
    providers.set_networks(provider, found, by=None)


def apply_address_changes() -> int:
    """Bring changes of everyday addresses into force whose delay has passed."""
    return recovery.apply_due()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="registry.apply_address_changes",
        defaults={
            "func": "engine.registry.tasks.apply_address_changes",
            "schedule_type": Schedule.MINUTES,
            "minutes": 5,
        },
    )
    Schedule.objects.update_or_create(
        name="registry.refresh_providers",
        defaults={
            "func": "engine.registry.tasks.refresh_providers",
            "schedule_type": Schedule.DAILY,
            "cluster": Lane.CALLS,
        },
    )
