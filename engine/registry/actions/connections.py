from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TypedDict, Unpack

from django.utils import timezone

from engine.audit.record import record
from engine.registry import credentials
from engine.registry.changes import apply, verb
from engine.registry.connection_policy import check_connection, tidied
from engine.registry.models import (
    Connection,
    ConnectionCredential,
    Organisation,
    Person,
)


class ConnectionFields(TypedDict, total=False):
    """What may be set about a connection. The models say what each means."""

    name: str
    proof: str
    source_networks: list[str]
    certificate_name: str
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
    by: Person | None,
    **fields: Unpack[ConnectionFields],
) -> Connection:
    """Add a way between an organisation's own servers and the gate."""
    connection = Connection(organisation=organisation, **tidied(fields))
    check_connection(connection)
    connection.save()
    _record("connection.added", connection, dict(fields), by=by)
    return connection


@verb
def edit(
    connection: Connection, *, by: Person | None, **changes: Unpack[ConnectionFields]
) -> None:
    """Change how a connection proves itself or where its mail goes."""
    changed = apply(connection, tidied(changes))
    check_connection(connection)
    if changed:
        _record("connection.edited", connection, changed, by=by)


@verb
def suspend(connection: Connection, *, reason: str, by: Person | None) -> None:
    """Stop the mail of one connection, both ways."""
    connection.is_active = False
    connection.save(update_fields=["is_active"])
    _record("connection.suspended", connection, {"reason": reason}, by=by)


@verb
def resume(connection: Connection, *, by: Person | None) -> None:
    """Let the mail of a suspended connection flow again."""
    connection.is_active = True
    connection.save(update_fields=["is_active"])
    _record("connection.resumed", connection, by=by)


@verb
def add_credential(
    connection: Connection, *, by: Person | None
) -> tuple[ConnectionCredential, str]:
    """Make a user name and a secret. The secret is shown now and never again.

    Earlier ones go on working until they are revoked, so that a server can change over.
    """
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
def revoke_credential(credential: ConnectionCredential, *, by: Person | None) -> None:
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
    by: Person | None,
) -> None:
    record(
        event,
        connection,
        organisation_key=connection.organisation_id,
        detail=detail,
        by=by,
    )
