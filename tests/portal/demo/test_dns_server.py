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
    own = {"env": "development", "dns_servers": []}
    monkeypatch.setattr(settings, "POSTERN", settings.POSTERN.model_copy(update=own))
    # Removed again afterwards, also if it was not there.
    monkeypatch.setenv("POSTERN_DNS_SERVERS", "")

    with up.name_server() as names:
        assert settings.POSTERN.dns_servers == [names.server]
        assert json.loads(os.environ["POSTERN_DNS_SERVERS"]) == [names.server]
        for provider in PROVIDERS.values():
            assert spf.sending_networks(provider.spf_name)
