"""Cloud providers: how their servers are recognised, and the tenant that they send for.

All tenants of a provider share its addresses and its certificate, so neither
distinguishes one member from another, or from a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from engine.mail.header import HeaderBlock
from engine.registry.models import Provider, ProviderNetworks
from engine.registry.networks import Network


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """How a provider's servers are recognised, as built in."""

    certificate_names: frozenset[str]
    must_show_certificate: bool
    tenant_field: str
    """The header that names the tenant, or that carries a secret of ours in its place."""
    spf_name: str
    signed_fields: frozenset[str]
    """Headers that its DKIM signatures cover if present; names in lower case."""
    networks: tuple[Network, ...]


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# The networks in the providers' SPF records of 2026, used until the service has looked
# them up itself.
PROVIDERS: Mapping[Provider, ProviderFacts] = {
    Provider.MICROSOFT_365: ProviderFacts(
        certificate_names=frozenset(["mail.protection.outlook.com"]),
        must_show_certificate=True,
        tenant_field="X-MS-Exchange-CrossTenant-Id",
        spf_name="spf.protection.outlook.com",
        # As its signatures read, 2019 to 2026: To, Cc and Reply-To are not among them.
        signed_fields=frozenset(
            ["from", "date", "subject", "message-id", "content-type", "mime-version"]
        ),
        networks=_networks(
            "40.92.0.0/15",
            "40.107.0.0/16",
            "52.100.0.0/15",
            "52.102.0.0/16",
            "52.103.0.0/17",
            "104.47.0.0/17",
            "2a01:111:f400::/48",
            "2a01:111:f403::/49",
            "2a01:111:f403:8000::/51",
            "2a01:111:f403:c000::/51",
            "2a01:111:f403:f000::/52",
        ),
    ),
    # Google does not name the tenant. Its routing settings can add a header of the
    # organisation's choice, in which the tenant id is a secret that we made.
    Provider.GOOGLE_WORKSPACE: ProviderFacts(
        certificate_names=frozenset(["smtp.gmail.com"]),
        must_show_certificate=False,
        tenant_field="X-Postern-Tenant",
        spf_name="_spf.google.com",
        signed_fields=frozenset(
            [
                "from",
                "to",
                "cc",
                "reply-to",
                "date",
                "subject",
                "message-id",
                "mime-version",
            ]
        ),
        networks=_networks(
            "74.125.0.0/16",
            "209.85.128.0/17",
            "2001:4860:4000::/36",
            "2404:6800:4000::/36",
            "2607:f8b0:4000::/36",
            "2800:3f0:4000::/36",
            "2a00:1450:4000::/36",
            "2c0f:fb50:4000::/36",
        ),
    ),
}

# Believed from their own provider only, and removed from all mail: the next hop may
# trust them too.
TENANT_FIELDS = (
    "x-ms-exchange-crosstenant-",
    "x-ms-exchange-organization-",
    "x-originatororg",
    "x-postern-tenant",
)


def networks_of_providers() -> list[tuple[Provider, Network]]:
    """Returns every network known to be a provider's, looked up or built in."""
    built_in = [
        (p, network) for p, facts in PROVIDERS.items() for network in facts.networks
    ]
    looked_up = [
        (Provider(row.provider), ip_network(text))
        for row in ProviderNetworks.objects.all()
        for text in row.networks
    ]
    return built_in + looked_up


def tenant(header: HeaderBlock, provider: Provider) -> str:
    """Returns the tenant that the header names; "" if it names none, or more than one.

    Trustworthy only in a message from that provider's own servers.
    """
    fields = header.all(PROVIDERS[provider].tenant_field)
    if len(fields) != 1:
        return ""
    return fields[0].value.decode("ascii", "replace").strip().casefold()


def without_tenant(header: HeaderBlock) -> HeaderBlock:
    """Returns the header without fields that name a tenant."""
    kept = tuple(
        field
        for field in header.fields
        if not field.name.lower().startswith(TENANT_FIELDS)
    )
    return header if len(kept) == len(header.fields) else HeaderBlock(kept)


def usual_next_hop(provider: Provider, member_domain: str) -> str:
    """Returns the host that accepts a tenant's mail by the provider's convention."""
    match provider:
        case Provider.MICROSOFT_365:
            return f"{member_domain.replace('.', '-')}.mail.protection.outlook.com"
        case Provider.GOOGLE_WORKSPACE:
            return "smtp.google.com"
