"""What a connection is, each fact by its proof."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from engine.registry.connections.policy import has_secret_tenant
from engine.registry.models import Connection, Proof
from portal.console.confirmation import Words
from portal.console.organisations.frame import ABOVE, ICON
from portal.console.sheet import Cell, yes_or_no


def words_of(
    title: str,
    button: str,
    done: str,
    back: str,
    *,
    text: str = "",
    is_grave: bool = False,
) -> Words:
    return Words(title, button, done, back, text, ICON, ABOVE, is_grave)


def connection_of(pk: int, connection_id: int) -> Connection:
    rows = Connection.objects.select_related("organisation")
    return get_object_or_404(rows, pk=connection_id, organisation=pk)


def state(connection: Connection) -> Cell:
    if connection.is_active:
        return Cell("Active")
    return Cell("Suspended", is_alarming=True)


def inbound(connection: Connection) -> list[tuple[str, Cell]]:
    facts = [
        ("State", state(connection)),
        ("Proof", Cell(connection.get_proof_display())),
    ]
    match Proof(connection.proof):
        case Proof.SOURCE:
            facts.append(("Sends from", Cell(", ".join(connection.source_networks))))
        case Proof.CERTIFICATE:
            facts.append(("Client certificate", Cell(connection.certificate_name)))
        case Proof.CLOUD:
            facts.append(("Provider", Cell(connection.get_provider_display())))
            facts.append(("Tenant", Cell(_tenant(connection))))
        case Proof.CREDENTIAL:
            pass
    return facts


def _tenant(connection: Connection) -> str:
    """Google's is a secret: whoever knows it could pass for the organisation."""
    if has_secret_tenant(connection):
        return "Made here, and kept secret"
    return connection.tenant_id


def outbound(connection: Connection) -> list[tuple[str, Cell]]:
    host = connection.next_hop_host
    where = f"{host}, port {connection.next_hop_port}" if host else "Not known yet"
    return [
        ("We deliver to", Cell(where, is_alarming=not host)),
        ("Name in its certificate", Cell(connection.tls_name or "—")),
        ("Recipients lose the suffix", yes_or_no(connection.strips_suffix)),
        ("Tag in the subject", Cell(connection.subject_tag or "—")),
    ]
