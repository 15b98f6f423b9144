from __future__ import annotations

import json
import os

import pytest
from django.conf import settings

from engine.registry.connections import spf
from engine.registry.connections.cloud_providers import PROVIDERS
from portal.launcher.management.commands import up


def test_the_demo_knows_where_providers_send_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the demo's Health page would list a job that fails every day."""
    monkeypatch.setattr(settings.POSTERN, "env", "development")
    monkeypatch.setattr(settings.POSTERN, "dns_servers", [])
    monkeypatch.delenv("POSTERN_DNS_SERVERS", raising=False)

    with up.name_server():
        servers = json.loads(os.environ["POSTERN_DNS_SERVERS"])
        monkeypatch.setattr(settings.POSTERN, "dns_servers", servers)
        for provider in PROVIDERS.values():
            assert spf.sending_networks(provider.spf_name)
