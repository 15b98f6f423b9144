"""Actions on connections, their credentials, and the networks of cloud providers."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TypedDict, Unpack

from django.utils import timezone

from engine.registry.connections.cloud_providers import usual_next_hop
from engine.registry.connections.policy import (
    check_can_have_credential,
    check_connection,
    has_secret_tenant,
    normalise,
)
from engine.registry.credentials import generated_secrets
from engine.registry.models import (
    Actor,
    Connection,
    ConnectionCredential,
    Organisation,
    Proof,
    Provider,
    ProviderNetworks,
)
from engine.registry.networks import Network
from engine.registry.verbs import apply, record_action, verb


class ConnectionFields(TypedDict, total=False):
    """What may be set about a connection. The model says what each field means."""

    name: str
    proof: str
    source_networks: list[str]
    certificate_name: str
    provider: str
    tenant_id: str
    next_hop_host: str
    next_hop_port: int
    next_hop_tls_name: str
    strips_suffix: bool
    subject_tag: str
    unproven_mail: str


@verb
def add(
    organisation: Organisation,
    *,
    by: Actor | None,
    **fields: Unpack[ConnectionFields],
) -> Connection:
    """Adds a connection to an organisation's own mail servers. Raises PolicyError."""
    connection = Connection(organisation=organisation, **normalise(fields))
    check_connection(connection)
    connection.save()
    known: dict[str, object] = dict(fields)
    # The audit trail is read by more people than may know the secret.
    if has_secret_tenant(connection):
        known.pop("tenant_id", None)
    record_action("connection.added", connection, known, by=by)
    return connection


@verb
def edit(
    connection: Connection, *, by: Actor | None, **changes: Unpack[ConnectionFields]
) -> None:
    """Changes a connection's proof or its next hop. Raises PolicyError."""
    was_secret = has_secret_tenant(connection)
    changed = apply(connection, normalise(changes))
    check_connection(connection)
    if "tenant_id" in changed and (was_secret or has_secret_tenant(connection)):
        changed["tenant_id"] = "changed"
    if changed:
        record_action("connection.edited", connection, changed, by=by)


@verb
def set_cloud(
    connection: Connection,
    *,
    provider: Provider,
    tenant_id: str = "",
    by: Actor | None,
) -> None:
    """Makes provider, tenant and DKIM signature together the connection's proof.

    For Microsoft 365 `tenant_id` is the organisation's own. Google shows no tenant, so
    a secret is made, which the organisation has its routing settings add to each message
    and which stays until the provider changes. The next hop, unless set, becomes the
    provider's usual one. Raises PolicyError.
    """
    edit(
        connection,
        proof=Proof.CLOUD,
        provider=provider,
        tenant_id=tenant_id or _tenant_id(connection, provider),
        next_hop_host=connection.next_hop_host or _usual_next_hop(connection, provider),
        by=by,
    )


def _tenant_id(connection: Connection, provider: Provider) -> str:
    if provider == Provider.GOOGLE_WORKSPACE and connection.provider != provider:
        return secrets.token_hex(16)
    return connection.tenant_id


def _usual_next_hop(connection: Connection, provider: Provider) -> str:
    domain = connection.organisation.domains.verified().order_by("id").first()
    return usual_next_hop(provider, domain.member_domain) if domain else ""


@verb
def suspend(connection: Connection, *, reason: str, by: Actor | None) -> None:
    """Stops a connection's mail in both directions; queued mail is held."""
    connection.is_active = False
    connection.save(update_fields=["is_active"])
    record_action("connection.suspended", connection, reason=reason, by=by)


@verb
def resume(connection: Connection, *, reason: str = "", by: Actor | None) -> None:
    """Lets the mail of a suspended connection flow again."""
    connection.is_active = True
    connection.save(update_fields=["is_active"])
    record_action("connection.resumed", connection, reason=reason, by=by)


@verb
def add_credential(
    connection: Connection, *, by: Actor | None
) -> tuple[ConnectionCredential, str]:
    """Adds a credential; returns it with its secret, which cannot be shown again.

    Earlier ones stay valid until they are revoked, so that a server can be switched over
    without a gap. Raises PolicyError if the connection has another kind of proof.
    """
    check_can_have_credential(connection)
    secret = generated_secrets.new_secret()
    domain = connection.organisation.domains.first()
    name = domain.member_domain if domain else "connection"
    made = ConnectionCredential.objects.create(
        connection=connection,
        username=f"{name[:90]}-{secrets.token_hex(3)}",
        digest=generated_secrets.digest(secret),
    )
    detail = {"username": made.username}
    record_action("connection.credential_added", connection, detail, by=by)
    return made, secret


@verb
def revoke_credential(credential: ConnectionCredential, *, by: Actor | None) -> None:
    """Revokes a credential; revoking it again changes nothing."""
    if credential.revoked_at is not None:
        return
    credential.revoked_at = timezone.now()
    credential.save(update_fields=["revoked_at"])
    detail = {"username": credential.username}
    record_action("connection.credential_revoked", credential.connection, detail, by=by)


@verb
def set_provider_networks(
    provider: Provider, networks: Iterable[Network], *, by: Actor | None
) -> bool:
    """Stores the networks that a provider publishes; returns whether they changed."""
    row, _ = ProviderNetworks.objects.get_or_create(provider=provider)
    before, after = set(row.networks), {str(network) for network in networks}
    if before == after:
        return False
    row.networks = sorted(after)
    row.save()
    detail = {"added": sorted(after - before), "removed": sorted(before - after)}
    record_action("provider.networks_changed", row, detail, by=by)
    return True
