"""An organisation's connections: listed, shown, added, edited and suspended."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import connections
from engine.registry.connections.policy import has_secret_tenant
from engine.registry.errors import PolicyError
from engine.registry.models import Connection, Person, Proof, Provider, StopKind
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff, staff
from portal.console.confirmation import confirmed_view, form_page
from portal.console.mail import sending_stops
from portal.console.organisations import credentials
from portal.console.organisations.connection_facts import (
    connection_url,
    get_connection,
    inbound,
    outbound,
    tests,
)
from portal.console.organisations.forms import ConnectionForm
from portal.console.organisations.frame import (
    ABOVE,
    ICON,
    get_organisation,
    member_url,
    render_tab,
)
from portal.console.page import Button, Cell, Section, Table, state_cell
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm, post_data
from portal.ui.suspension import suspension
from portal.ui.visitor import signed_in_person

MANAGE = Permission.MANAGE_CONNECTIONS
CLOUD_FIELDS = ("proof", "provider", "tenant_id")


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's connections."""
    organisation = get_organisation(pk)
    rows = [
        [
            Cell(connection.name, connection_url(connection)),
            Cell(connection.get_proof_display()),
            Cell(connection.next_hop_host or "—"),
            state_cell(connection.is_active),
        ]
        for connection in organisation.connections.all()
    ]
    empty = (
        "Its mailboxes are hosted here: it needs no connection."
        if organisation.is_hosted
        else "No connection yet, so no mail can flow. Add one."
    )
    table = Table(("Name", "Proof", "We deliver to", "State"), rows, empty)
    add = Button("Add a connection", member_url("connection_add", pk), MANAGE)
    section = Section(table=table, buttons=[add])
    return render_tab(request, organisation, "connections", [section])


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, connection_id: int) -> HttpResponse:
    """One connection: settings, tests and credentials."""
    connection = get_connection(pk, connection_id)
    is_active = connection.is_active
    switch = member_url("connection_switch", pk, connection_id)
    stops = sending_stops.standing(connection)
    buttons = [
        Button("Edit", member_url("connection_edit", pk, connection_id), MANAGE),
        Button("Suspend" if is_active else "Resume", switch, MANAGE, is_active),
        *sending_stops.buttons(StopKind.CONNECTION, connection_id, stops),
    ]
    sections = [
        *sending_stops.sections(request, stops),
        Section("From them to us", facts=inbound(connection), buttons=buttons),
        Section("From us to them", facts=outbound(connection)),
        tests(connection),
    ]
    if connection.proof == Proof.CREDENTIAL:
        may_change = MANAGE in held_as_staff(request.user)
        sections.append(credentials.section(connection, may_change=may_change))
    return render_tab(
        request,
        connection.organisation,
        "connections",
        sections,
        title=str(connection),
    )


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds a connection."""
    organisation = get_organisation(pk)
    form = ConnectionForm(post_data(request))

    @transaction.atomic
    def run() -> None:
        fields, cloud = _separated(form.cleaned_data)
        by = signed_in_person(request)
        added = connections.add(
            organisation, by=by, **({"proof": Proof.CREDENTIAL} | fields)
        )
        if cloud:
            connections.set_cloud(added, by=by, **cloud)

    page = Confirmation(
        title=f"Add a connection to {organisation}",
        button="Add",
        done="The connection was added.",
    )
    return form_page(
        request,
        form,
        run,
        page,
        back=lambda: member_url("connections", pk),
        icon=ICON,
        above=ABOVE,
    )


def _describe_edit(connection: Connection, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Edit {connection}",
        button="Save",
        done="The connection was saved. It applies from now on.",
        text="Changes apply immediately: mail that proves itself the old way is "
        "refused.",
    )


def _initial(connection: Connection) -> dict[str, Any]:
    initial = ConnectionForm.initial_of(connection)
    if has_secret_tenant(connection):
        initial["tenant_id"] = ""
    return initial


@transaction.atomic
def _edit(connection: Connection, *, by: Person, **cleaned_data: Any) -> None:
    fields, cloud = _separated(cleaned_data)
    connections.edit(connection, by=by, **fields)
    if cloud:
        connections.set_cloud(connection, by=by, **cloud)


def _separated(cleaned_data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the plain settings, and those of a cloud provider.

    The latter have an action of their own: it makes Google's secret tenant.
    """
    if cleaned_data["proof"] != Proof.CLOUD:
        return cleaned_data, {}
    if not cleaned_data["provider"]:
        raise PolicyError("Choose the provider.")
    fields = {k: v for k, v in cleaned_data.items() if k not in CLOUD_FIELDS}
    provider = Provider(cleaned_data["provider"])
    return fields, {"provider": provider, "tenant_id": cleaned_data["tenant_id"]}


edit = confirmed_view(
    MANAGE,
    get_connection,
    ConfirmedAction(_describe_edit, _edit, ConnectionForm, initial=_initial),
    back=connection_url,
    icon=ICON,
    above=ABOVE,
)
switch = confirmed_view(
    MANAGE,
    get_connection,
    suspension(
        connections,
        suspend_text="No mail passes through it in either direction until you resume it.",
        resume_text="Mail passes through it again, and mail that was held is delivered.",
        resume_form=ReasonForm,
    ),
    back=connection_url,
    icon=ICON,
    above=ABOVE,
)
