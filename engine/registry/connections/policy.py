"""Rules that keep a connection from proving any organisation but its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from engine.network import ssrf_protection
from engine.registry.addresses.allocation import parse_domain
from engine.registry.connections.cloud_providers import (
    PROVIDERS,
    networks_of_providers,
)
from engine.registry.errors import PolicyError
from engine.registry.models import Connection, Proof, Provider
from engine.registry.networks import Network

# The shortest prefix, by IP version, of a network that one organisation may claim.
SHORTEST_PREFIX = {4: 16, 6: 32}

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET = re.compile(r"[0-9a-f]{32}")


def normalise(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields in the one form in which they are stored. Raises PolicyError."""
    normal = dict(fields)
    if "source_networks" in normal:
        normal["source_networks"] = [
            str(_network(text)) for text in normal["source_networks"]
        ]
    if "tenant_id" in normal:
        normal["tenant_id"] = normal["tenant_id"].strip().casefold()
    for name in ("certificate_name", "next_hop_tls_name"):
        if normal.get(name):
            normal[name] = parse_domain(normal[name])
    if normal.get("next_hop_host"):
        normal["next_hop_host"] = _host(normal["next_hop_host"])
    return normal


def check_connection(connection: Connection) -> None:
    """Raises PolicyError if its proof is missing, or shared with another organisation.

    Also refuses a next hop inside our own network: the relay would be a way to reach it.
    """
    if not 1 <= connection.next_hop_port <= 65535:
        raise PolicyError("A port is a number between 1 and 65535.")
    if not _may_be_dialled(connection.next_hop_host):
        raise PolicyError("Enter a name or address that can be reached from outside.")
    match Proof(connection.proof):
        case Proof.SOURCE:
            _check_sources(connection)
        case Proof.CERTIFICATE:
            _check_certificate(connection)
        case Proof.CLOUD:
            _check_tenant(connection)
        case Proof.CREDENTIAL:
            return


def has_secret_tenant(connection: Connection) -> bool:
    """Returns True if the tenant id is a secret that proves the organisation.

    Google shows no tenant, so a secret of ours in a header stands for it. It must not
    appear in the audit trail or on a page.
    """
    return connection.provider == Provider.GOOGLE_WORKSPACE


def check_can_have_credential(connection: Connection) -> None:
    """Raises PolicyError unless the connection's proof is a user name and password."""
    if connection.proof != Proof.CREDENTIAL:
        raise PolicyError(
            f"{connection} does not sign in with a user name and password. Change "
            "its proof of identity first."
        )


def _check_tenant(connection: Connection) -> None:
    if not connection.tenant_id:
        raise PolicyError("Enter the organisation's tenant id at its provider.")
    if connection.provider == Provider.MICROSOFT_365 and not _GUID.fullmatch(
        connection.tenant_id
    ):
        raise PolicyError(
            "A Microsoft 365 tenant id is like 5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61."
        )
    if connection.provider == Provider.GOOGLE_WORKSPACE and not _SECRET.fullmatch(
        connection.tenant_id
    ):
        raise PolicyError(
            "Leave the tenant id empty: this service generates it for Google Workspace."
        )


def _check_sources(connection: Connection) -> None:
    own = [ip_network(text) for text in connection.source_networks]
    if not own:
        raise PolicyError("Enter the addresses that the organisation's servers use.")
    _check_no_cloud(own)
    others = Connection.objects.filter(proof=Proof.SOURCE).exclude(
        organisation_id=connection.organisation_id
    )
    for other in others:
        for text in other.source_networks:
            for network in own:
                if _overlaps(network, ip_network(text)):
                    raise PolicyError(
                        f"{network} is already used by {other.organisation}."
                    )


def _check_certificate(connection: Connection) -> None:
    if not connection.certificate_name:
        raise PolicyError("Enter the name in the organisation's client certificate.")
    for provider, facts in PROVIDERS.items():
        if connection.certificate_name in facts.certificate_names:
            raise _shared(connection.certificate_name, provider)
    other = (
        Connection.objects.filter(
            proof=Proof.CERTIFICATE, certificate_name=connection.certificate_name
        )
        .exclude(pk=connection.pk)
        .first()
    )
    if other is not None:
        raise PolicyError(
            f"{connection.certificate_name} already identifies {other.organisation}. "
            "Use another name."
        )


def _check_no_cloud(own: list[Network]) -> None:
    # All tenants of a provider send from its addresses: trusting them would let any
    # tenant write in the name of this organisation.
    for provider, theirs in networks_of_providers():
        for network in own:
            if _overlaps(network, theirs):
                raise _shared(network, provider)


def _shared(what: object, provider: Provider) -> PolicyError:
    return PolicyError(
        f"All customers of {provider.label} share {what}. "
        "Choose the proof by provider, tenant and DKIM."
    )


def _network(text: str) -> Network:
    try:
        network = ip_network(text.strip())
    except ValueError as error:
        raise PolicyError(
            f"“{text.strip()}” is not a network. Write it like 192.0.2.0/24."
        ) from error
    if network.prefixlen < SHORTEST_PREFIX[network.version]:
        raise PolicyError(
            f"{network} is too large for one organisation. Enter a smaller network."
        )
    return network


def _overlaps(one: Network, other: Network) -> bool:
    return one.version == other.version and (
        one.network_address in other or other.network_address in one
    )


def _may_be_dialled(host: str) -> bool:
    """Returns True for public addresses, and for all names.

    What a name resolves to may change after this check, so the address is checked when
    it is dialled.
    """
    try:
        return ssrf_protection.may_dial(ip_address(host))
    except ValueError:
        return True


def _host(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return parse_domain(text)
