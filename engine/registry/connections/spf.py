"""Reads from its SPF record the networks from which a provider sends (RFC 7208)."""

from __future__ import annotations

from ipaddress import ip_network

from engine.network import dns
from engine.registry.errors import PolicyError
from engine.registry.networks import Network

# RFC 7208 §4.6.4
MAX_LOOKUPS = 10
MAX_NETWORKS = 500
# The shortest prefix, by IP version, that is believed to be one provider's. A mistaken
# record must not make the whole internet the provider's.
SHORTEST_PREFIX = {4: 12, 6: 29}


def sending_networks(name: str) -> list[Network]:
    """Returns the networks in the record at `name` and in those that it includes.

    Follows `include` and `redirect`, and takes `ip4` and `ip6` (RFC 7208 §5). Raises
    DnsUnavailable, and PolicyError if what is published makes no sense; the networks
    that are known already must then stay.
    """
    found: dict[Network, None] = {}
    pending, asked = [name], set[str]()
    while pending:
        name = pending.pop(0)
        if name in asked:
            continue
        asked.add(name)
        if len(asked) > MAX_LOOKUPS:
            raise PolicyError("The provider's SPF record includes too many others.")
        for term in _terms(name):
            mechanism, value = _split(term)
            if mechanism in ("include", "redirect"):
                pending.append(value)
            elif mechanism in ("ip4", "ip6"):
                found[_network(value)] = None
    if not 0 < len(found) <= MAX_NETWORKS:
        raise PolicyError(f"The provider publishes {len(found)} networks.")
    return list(found)


def _terms(name: str) -> list[str]:
    records = [text.split() for text in dns.txt(name)]
    found = [terms for terms in records if terms and terms[0].lower() == "v=spf1"]
    if len(found) != 1:
        raise PolicyError(f"{name} has no SPF record, or more than one.")
    return found[0][1:]


def _split(term: str) -> tuple[str, str]:
    at = min((at for at in (term.find(":"), term.find("=")) if at >= 0), default=-1)
    if at < 0:
        return term.lower().lstrip("+"), ""
    return term[:at].lower().lstrip("+"), term[at + 1 :]


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise PolicyError(f"“{text}” in an SPF record is not a network.") from error
    if network.prefixlen < SHORTEST_PREFIX[network.version] or not network.is_global:
        raise PolicyError(f"{network} is too large to belong to a provider.")
    return network
