"""Which resolver's word for DNSSEC may be trusted."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from portal.configuration.dns_variables import DnsVariables


@pytest.mark.parametrize(
    "where", ["", "127.0.0.1", "127.0.0.1:5353", "[::1]:53", "10.0.0.53"]
)
def test_resolver_on_this_host_or_in_a_private_network_is_trusted(where: str) -> None:
    assert DnsVariables(validating_resolver=where).validating_resolver == where


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("9.9.9.9:53", "on this host or in a private network"),
        ("0.0.0.0", "on this host or in a private network"),
        ("resolver.test", "Give its IP address"),
        ("127.0.0.1:dns", "Give its IP address"),
        ("127.0.0.1:99999", "Give its IP address"),
    ],
)
def test_any_other_is_refused_with_the_reason(where: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        DnsVariables(validating_resolver=where)
