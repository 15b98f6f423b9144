"""User names and passwords of a connection: made, shown once, ended."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from engine.registry.actions import connections
from engine.registry.models import Connection, ConnectionCredential
from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff
from portal.console.confirmation import ConfirmForm, act, person_of, typed
from portal.console.organisations.connection_facts import connection_of, words_of
from portal.console.organisations.frame import ABOVE, ICON, url
from portal.console.sheet import Button, Cell, Section, Table

MANAGE = Permission.MANAGE_CONNECTIONS


def section(connection: Connection, *, may_change: bool) -> Section:
    pk = connection.organisation_id
    rows = [
        [
            Cell(credential.username),
            Cell(at=credential.created_at),
            Cell("Ended ", at=credential.revoked_at)
            if credential.revoked_at
            else _end(credential, connection, may_change=may_change),
        ]
        for credential in connection.credentials.order_by("-pk")
    ]
    empty = "Nobody can sign in with it yet. Make a password."
    make = url("credential_add", pk, connection.pk)
    return Section(
        "User names and passwords",
        table=Table(("User name", "Made", "State"), rows, empty),
        buttons=[Button("Make a new password", make, MANAGE)],
    )


def _end(
    credential: ConnectionCredential, connection: Connection, *, may_change: bool
) -> Cell:
    if not may_change:
        return Cell("Works")
    keys = (connection.organisation_id, connection.pk, credential.pk)
    return Cell("End", url("credential_end", *keys))


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int, connection_id: int) -> HttpResponse:
    """Make a user name and a password, and show them this once."""
    connection = connection_of(pk, connection_id)
    form = ConfirmForm(typed(request))
    made: list[tuple[ConnectionCredential, str]] = []

    def verb() -> None:
        made.append(connections.add_credential(connection, by=person_of(request)))

    back = url("connection", pk, connection_id)
    words = words_of(
        f"Make a new password for {connection}",
        "Make a new password",
        "A new password was made.",
        back,
        text="Passwords made earlier go on working until you end them, so that the "
        "server can change over. The new one is shown once.",
    )
    if request.method == "POST" and form.submit(verb):
        return _shown(request, connection, *made[0])
    return act(request, ConfirmForm(), verb, words)


def _shown(
    request: HttpRequest,
    connection: Connection,
    credential: ConnectionCredential,
    secret: str,
) -> HttpResponse:
    back = url("connection", connection.organisation_id, connection.pk)
    context = {"username": credential.username, "secret": secret, "back": back}
    # Wagtail forbids every browser to keep a page of the admin.
    return page.show(
        request, "organisations/credential", str(connection), ICON, context, above=ABOVE
    )


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def end(
    request: HttpRequest, pk: int, connection_id: int, credential_id: int
) -> HttpResponse:
    connection = connection_of(pk, connection_id)
    credential = get_object_or_404(connection.credentials, pk=credential_id)
    words = words_of(
        f"End {credential.username}",
        "End",
        f"{credential.username} no longer opens anything.",
        url("connection", pk, connection_id),
        text="A server that still uses it can no longer send.",
        is_grave=True,
    )
    form = ConfirmForm(typed(request))

    def verb() -> None:
        connections.revoke_credential(credential, by=person_of(request))

    return act(request, form, verb, words)
