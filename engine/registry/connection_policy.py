"""What a connection must satisfy so that it can only ever prove its own organisation."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from engine.registry.addresses import parsed_domain
from engine.registry.errors import PolicyError
from engine.registry.facts import Network
from engine.registry.models import Connection, Proof

# The widest network, by IP version, that one organisation may call its own.
WIDEST = {4: 16, 6: 32}


def tidied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in the one form in which they are kept. Raises PolicyError."""
    tidy = dict(fields)
    if "source_networks" in tidy:
        tidy["source_networks"] = [str(_network(t)) for t in tidy["source_networks"]]
    for name in ("certificate_name", "next_hop_tls_name"):
        if tidy.get(name):
            tidy[name] = parsed_domain(tidy[name])
    if tidy.get("next_hop_host"):
        tidy["next_hop_host"] = _host(tidy["next_hop_host"])
    return tidy


def check_connection(connection: Connection) -> None:
    """Raise PolicyError where it proves nothing, or what another organisation's does."""
    if not 1 <= connection.next_hop_port <= 65535:
        raise PolicyError("A port is a number between 1 and 65535.")
    match Proof(connection.proof):
        case Proof.SOURCE:
            _check_sources(connection)
        case Proof.CERTIFICATE:
            _check_certificate(connection)
        case Proof.CLOUD if not connection.tenant_id:
            raise PolicyError("Enter the organisation's tenant id at its provider.")
        case Proof.CLOUD | Proof.CREDENTIAL:
            return


def _check_sources(connection: Connection) -> None:
    own = [ip_network(text) for text in connection.source_networks]
    if not own:
        raise PolicyError("Enter the addresses that the organisation's servers use.")
    others = Connection.objects.filter(proof=Proof.SOURCE).exclude(
        organisation=connection.organisation
    )
    for other in others:
        for text in other.source_networks:
            for network in own:
                if _overlaps(network, ip_network(text)):
                    raise PolicyError(f"{network} belongs to {other.organisation}.")


def _check_certificate(connection: Connection) -> None:
    if not connection.certificate_name:
        raise PolicyError("Enter the name in the organisation's client certificate.")
    other = (
        Connection.objects.filter(
            proof=Proof.CERTIFICATE, certificate_name=connection.certificate_name
        )
        .exclude(pk=connection.pk)
        .first()
    )
    if other is not None:
        raise PolicyError(
            f"{connection.certificate_name} already proves {other.organisation}."
        )


def _network(text: str) -> Network:
    try:
        network = ip_network(text.strip())
    except ValueError as error:
        raise PolicyError(
            f"“{text.strip()}” is not a network. Write it like 192.0.2.0/24."
        ) from error
    if network.prefixlen < WIDEST[network.version]:
        raise PolicyError(f"{network} is too wide to be one organisation's.")
    return network


def _overlaps(one: Network, other: Network) -> bool:
    return one.version == other.version and (
        one.network_address in other or other.network_address in one
    )


def _host(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return parsed_domain(text)
