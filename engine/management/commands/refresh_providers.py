"""`manage.py refresh_providers`: looks up the networks of cloud providers now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from engine.network.dns import DnsUnavailable
from engine.registry.actions import connections
from engine.registry.connections import spf
from engine.registry.connections.cloud_providers import PROVIDERS
from engine.registry.errors import PolicyError
from engine.registry.models import Provider


class Command(BaseCommand):
    """Looks up each provider's SPF record, and stores the networks that it names."""

    help = "Look up and store the networks from which cloud providers send mail."

    def handle(self, *args: Any, **options: Any) -> None:
        for provider in Provider:
            try:
                found = spf.sending_networks(PROVIDERS[provider].spf_name)
            except (DnsUnavailable, PolicyError) as error:
                raise CommandError(f"{provider.label}: {error}") from error
            has_changed = connections.set_provider_networks(provider, found, by=None)
            change = "changed" if has_changed else "unchanged"
            self.stdout.write(f"{provider.label}: {len(found)} networks, {change}.")
