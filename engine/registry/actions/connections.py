from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TypedDict, Unpack

from django.utils import timezone

from engine.audit.record import record
from engine.registry import credentials
from engine.registry.actor import Actor
from engine.registry.connection_policy import (
    check_can_have_credential,
    check_connection,
    has_secret_tenant,
    tidied,
)
from engine.registry.models import (
    Connection,
    ConnectionCredential,
    Organisation,
    Proof,
    Provider,
)
from engine.registry.providers import usual_next_hop
from engine.registry.verbs import apply, verb


class ConnectionFields(TypedDict, total=False):
    """What may be set about a connection. The models say what each means."""

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


@verb
def add(
    organisation: Organisation,
    *,
    by: Actor | None,
    **fields: Unpack[ConnectionFields],
) -> Connection:
    """Add a way between an organisation's own servers and the gate."""
    connection = Connection(organisation=organisation, **tidied(fields))
    check_connection(connection)
    connection.save()
    known: dict[str, object] = dict(fields)
    if has_secret_tenant(connection):
        known.pop("tenant_id", None)
    _record("connection.added", connection, known, by=by)
    return connection


@verb
def edit(
    connection: Connection, *, by: Actor | None, **changes: Unpack[ConnectionFields]
) -> None:
    """Change how a connection proves itself or where its mail goes."""
    was_secret = has_secret_tenant(connection)
    changed = apply(connection, tidied(changes))
    check_connection(connection)
    if "tenant_id" in changed and (was_secret or has_secret_tenant(connection)):
        changed["tenant_id"] = "changed"
    if changed:
        _record("connection.edited", connection, changed, by=by)


@verb
def set_cloud(
    connection: Connection,
    *,
    provider: Provider,
    tenant_id: str = "",
    by: Actor | None,
) -> None:
    """Have a connection prove itself by its provider, tenant and signature together.

    Microsoft's tenant id is the organisation's; Google has none to show, so a secret is
    made that the organisation has its routing settings put into each message, and kept
    until the provider changes. A next hop that is not known yet becomes the usual one.
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
    """Stop the mail of one connection, both ways."""
    connection.is_active = False
    connection.save(update_fields=["is_active"])
    _record("connection.suspended", connection, {"reason": reason}, by=by)


@verb
def resume(connection: Connection, *, reason: str = "", by: Actor | None) -> None:
    """Let the mail of a suspended connection flow again."""
    connection.is_active = True
    connection.save(update_fields=["is_active"])
    _record(
        "connection.resumed", connection, {"reason": reason} if reason else None, by=by
    )


@verb
def add_credential(
    connection: Connection, *, by: Actor | None
) -> tuple[ConnectionCredential, str]:
    """Make a user name and a secret. The secret is shown now and never again.

    Earlier ones go on working until they are revoked, so that a server can change over.
    Raises PolicyError where the connection proves itself otherwise.
    """
    check_can_have_credential(connection)
    secret = credentials.new_secret()
    domain = connection.organisation.domains.first()
    name = domain.member_domain if domain else "connection"
    made = ConnectionCredential.objects.create(
        connection=connection,
        username=f"{name[:90]}-{secrets.token_hex(3)}",
        digest=credentials.digest(secret),
    )
    detail = {"username": made.username}
    _record("connection.credential_added", connection, detail, by=by)
    return made, secret


@verb
def revoke_credential(credential: ConnectionCredential, *, by: Actor | None) -> None:
    """End a credential; revoking it again changes nothing."""
    if credential.revoked_at is not None:
        return
    credential.revoked_at = timezone.now()
    credential.save(update_fields=["revoked_at"])
    detail = {"username": credential.username}
    _record("connection.credential_revoked", credential.connection, detail, by=by)


def _record(
    event: str,
    connection: Connection,
    detail: Mapping[str, object] | None = None,
    *,
    by: Actor | None,
) -> None:
    record(
        event,
        connection,
        organisation_key=connection.organisation_id,
        detail=detail,
        by=by,
    )
