"""What an administrator's IT department enters into its own mail server."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from engine.registry.models import Connection, Organisation, Proof


@dataclass(frozen=True, slots=True)
class ConnectionValues:
    """A connection as label and value, the way out of the organisation and the way in."""

    connection: Connection
    outbound: list[tuple[str, str]]
    inbound: list[tuple[str, str]]


def connection_values(organisation: Organisation) -> list[ConnectionValues]:
    connections = organisation.connections.prefetch_related("credentials")
    return [
        ConnectionValues(connection, _outbound(connection), _inbound(connection))
        for connection in connections
    ]


def _outbound(connection: Connection) -> list[tuple[str, str]]:
    """What the organisation's server needs to hand secure mail to the gate."""
    suffix = settings.POSTERN.community_domain
    rows = [
        ("Send mail for", f"addresses that end in {suffix}"),
        ("To this server", settings.POSTERN.smtp_name),
        ("Port", str(settings.POSTERN.smtp_port)),
        ("Encryption", "STARTTLS, always, with our certificate verified"),
        ("Proof that it is you", Proof(connection.proof).label),
    ]
    return rows + _proof(connection)


def _proof(connection: Connection) -> list[tuple[str, str]]:
    if connection.proof == Proof.CREDENTIAL:
        live = [one for one in connection.credentials.all() if not one.revoked_at]
        return [("User name", one.username) for one in live]
    if connection.proof == Proof.SOURCE:
        return [("You send from", ", ".join(connection.source_networks))]
    if connection.proof == Proof.CERTIFICATE:
        return [("Name in your certificate", connection.certificate_name)]
    return [("Tenant", connection.tenant_id)]


def _inbound(connection: Connection) -> list[tuple[str, str]]:
    """Where the gate hands mail to the organisation's server."""
    stripped = "without the suffix" if connection.strips_suffix else "with the suffix"
    rows = [
        (
            "We deliver to",
            f"{connection.next_hop_host}, port {connection.next_hop_port}",
        ),
        ("Name in its certificate", connection.tls_name),
        ("Recipients are written", stripped),
        ("Tag in the subject", connection.subject_tag),
    ]
    return [(label, value) for label, value in rows if value]
