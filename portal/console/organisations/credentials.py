"""User names and passwords of a connection: made, shown once, and revoked."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from engine.registry.actions import connections
from engine.registry.models import Connection, ConnectionCredential, Person
from engine.registry.permissions import Permission
from portal.console.confirmation import confirmed_view
from portal.console.organisations.connection_facts import (
    connection_url,
    get_connection,
)
from portal.console.organisations.frame import ABOVE, ICON, member_url
from portal.console.page import Button, Cell, Section, Table, render_template
from portal.ui.confirmation import Confirmation, ConfirmedAction

MANAGE = Permission.MANAGE_CONNECTIONS


def section(connection: Connection, *, may_change: bool) -> Section:
    """The connection's credentials as a part of its page."""
    pk = connection.organisation_id
    rows = [
        [
            Cell(credential.username),
            Cell(at=credential.created_at),
            Cell("Ended ", at=credential.revoked_at)
            if credential.revoked_at
            else _end_link(credential, connection, may_change=may_change),
        ]
        for credential in connection.credentials.order_by("-pk")
    ]
    empty = "No password yet, so no server can sign in. Make one."
    make = member_url("credential_add", pk, connection.pk)
    return Section(
        "User names and passwords",
        table=Table(("User name", "Made", "State"), rows, empty),
        buttons=[Button("Make a new password", make, MANAGE)],
    )


def _end_link(
    credential: ConnectionCredential, connection: Connection, *, may_change: bool
) -> Cell:
    if not may_change:
        return Cell("Works")
    keys = (connection.organisation_id, connection.pk, credential.pk)
    return Cell("End", member_url("credential_end", *keys))


def _describe_new(connection: Connection, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Make a new password for {connection}",
        button="Make a new password",
        done="A new password was made.",
        text="Earlier passwords continue to work until you end them, so that the server "
        "can change over. The new one is shown once.",
    )


def _show_secret(
    request: HttpRequest,
    connection: Connection,
    result: tuple[ConnectionCredential, str],
) -> HttpResponse:
    credential, secret = result
    context = {
        "username": credential.username,
        "secret": secret,
        "back": connection_url(connection),
    }
    # Wagtail marks every page of its admin as not to be cached by the browser.
    return render_template(
        request,
        "organisations/credential",
        str(connection),
        ICON,
        context,
        above=ABOVE,
    )


def _find(pk: int, connection_id: int, credential_id: int) -> ConnectionCredential:
    rows = ConnectionCredential.objects.select_related("connection")
    return get_object_or_404(
        rows,
        pk=credential_id,
        connection=connection_id,
        connection__organisation=pk,
    )


def _describe_end(credential: ConnectionCredential, by: Person) -> Confirmation:
    return Confirmation(
        title=f"End {credential.username}",
        button="End",
        done=f"{credential.username} can no longer be used to sign in.",
        text="A server that still uses it can no longer send.",
        is_warning=True,
    )


add = confirmed_view(
    MANAGE,
    get_connection,
    ConfirmedAction(
        _describe_new, connections.add_credential, show_result=_show_secret
    ),
    back=connection_url,
    icon=ICON,
    above=ABOVE,
)
end = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_end, connections.revoke_credential),
    back=lambda credential: connection_url(credential.connection),
    icon=ICON,
    above=ABOVE,
)
