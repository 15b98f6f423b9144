"""An organisation's connections: each fact by its proof, and its credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import connections
from engine.registry.connections.policy import has_secret_tenant
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Proof,
    Provider,
)
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff, staff
from portal.console.confirmation import ReasonForm, act, person_of, typed
from portal.console.members import tested
from portal.console.organisations import credentials
from portal.console.organisations.connection_facts import (
    connection_of,
    inbound,
    outbound,
    state,
    words_of,
)
from portal.console.organisations.forms import ConnectionForm
from portal.console.organisations.frame import ABOVE, ICON, organisation_of, tabs, url
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw

MANAGE = Permission.MANAGE_CONNECTIONS


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    rows = [
        [
            Cell(connection.name, url("connection", pk, connection.pk)),
            Cell(connection.get_proof_display()),
            Cell(connection.next_hop_host or "—"),
            state(connection),
        ]
        for connection in organisation.connections.all()
    ]
    empty = (
        "Its mailboxes are kept here: it needs no connection."
        if organisation.is_hosted
        else "It has no connection yet, so no mail can flow. Add one."
    )
    table = Table(("Name", "Proof", "We deliver to", "State"), rows, empty)
    add = Button("Add a connection", url("connection_add", pk), MANAGE)
    sheet = Sheet(
        organisation.name,
        ICON,
        [Section(table=table, buttons=[add])],
        above=ABOVE,
        tabs=tabs(request, organisation, "connections"),
    )
    return draw(request, sheet)


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, connection_id: int) -> HttpResponse:
    connection = connection_of(pk, connection_id)
    keys = (pk, connection_id)
    word = "Suspend" if connection.is_active else "Resume"
    buttons = [
        Button("Edit", url("connection_edit", *keys), MANAGE),
        Button(
            word, url("connection_switch", *keys), MANAGE, is_grave=word == "Suspend"
        ),
    ]
    sections = [
        Section("From them to us", facts=inbound(connection), buttons=buttons),
        Section("From us to them", facts=outbound(connection)),
    ]
    sections.append(tested.section(connection))
    may_change = MANAGE in held_as_staff(request.user)
    if connection.proof == Proof.CREDENTIAL:
        sections.append(credentials.section(connection, may_change=may_change))
    sheet = Sheet(
        str(connection),
        ICON,
        sections,
        above=ABOVE,
        tabs=tabs(request, connection.organisation, "connections"),
    )
    return draw(request, sheet)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    form = ConnectionForm(typed(request))

    @transaction.atomic
    def verb() -> None:
        fields, cloud = _parted(form.cleaned_data)
        by = person_of(request)
        made = connections.add(
            organisation, by=by, **({"proof": Proof.CREDENTIAL} | fields)
        )
        if cloud:
            connections.set_cloud(made, by=by, **cloud)

    words = words_of(
        f"Add a connection to {organisation}",
        "Add",
        "The connection was added.",
        url("connections", pk),
    )
    return act(request, form, verb, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int, connection_id: int) -> HttpResponse:
    connection = connection_of(pk, connection_id)
    initial = ConnectionForm.initial_of(connection)
    if has_secret_tenant(connection):
        initial["tenant_id"] = ""
    form = ConnectionForm(typed(request), initial=initial)

    @transaction.atomic
    def verb() -> None:
        fields, cloud = _parted(form.cleaned_data)
        by = person_of(request)
        connections.edit(connection, by=by, **fields)
        if cloud:
            connections.set_cloud(connection, by=by, **cloud)

    words = words_of(
        f"Edit {connection}",
        "Save",
        "The connection was saved. It holds from now on.",
        url("connection", pk, connection_id),
        text="Changes hold at once: mail that proves itself the old way is refused.",
    )
    return act(request, form, verb, words)


def _parted(typed_in: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is set as typed, and what the verb for clouds sets: it makes secrets."""
    if typed_in["proof"] != Proof.CLOUD:
        return typed_in, {}
    if not typed_in["provider"]:
        raise PolicyError("Choose the provider.")
    own = ("proof", "provider", "tenant_id")
    fields = {name: value for name, value in typed_in.items() if name not in own}
    provider = Provider(typed_in["provider"])
    return fields, {"provider": provider, "tenant_id": typed_in["tenant_id"]}


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def switch(request: HttpRequest, pk: int, connection_id: int) -> HttpResponse:
    """Suspend the connection, or let its mail flow again."""
    connection = connection_of(pk, connection_id)
    form = ReasonForm(typed(request))
    change: Callable[..., None]
    if connection.is_active:
        word, change = "Suspend", connections.suspend
        text = "No mail flows over it, either way, until you resume it."
    else:
        word, change = "Resume", connections.resume
        text = "Mail flows over it again, and what was held is delivered."
    words = words_of(
        f"{word} {connection}",
        word,
        "The connection was changed.",
        url("connection", pk, connection_id),
        text=text,
        is_grave=connection.is_active,
    )

    def verb() -> None:
        change(connection, reason=form.cleaned_data["reason"], by=person_of(request))

    return act(request, form, verb, words)
