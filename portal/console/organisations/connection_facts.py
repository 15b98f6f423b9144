"""A connection as facts: settings in both directions, and the last tests."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.urls import reverse

from engine.registry.connections.policy import has_secret_tenant
from engine.registry.models import Connection, Proof
from engine.registry.permissions import Permission
from onboarding.connecting.models import Rehearsal, Step, StepState, Watch
from portal.console.organisations.frame import member_url
from portal.console.page import (
    Button,
    Cell,
    Fact,
    Section,
    Table,
    state_cell,
    yes_or_no,
)

TEST_HEADINGS = ("Step", "State", "What was seen", "What is wrong")
NOT_TESTED = "Not tested yet. Open the organisation's own page and test it."


def get_connection(pk: int, connection_id: int) -> Connection:
    """Returns a connection of the organisation `pk`. Raises Http404."""
    rows = Connection.objects.select_related("organisation")
    return get_object_or_404(rows, pk=connection_id, organisation=pk)


def connection_url(connection: Connection) -> str:
    """The URL of the connection's page."""
    return member_url("connection", connection.organisation_id, connection.pk)


def inbound(connection: Connection) -> list[Fact]:
    """How the organisation's server proves itself to us, by kind of proof."""
    facts = [
        ("State", state_cell(connection.is_active)),
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
    facts.append(
        ("If it fails DMARC or DKIM", Cell(connection.get_unproven_mail_display()))
    )
    return facts


def _tenant(connection: Connection) -> str:
    """Google's tenant is a secret that we make: it would let others pass for the member."""
    if has_secret_tenant(connection):
        return "Generated, and kept secret"
    return connection.tenant_id


def outbound(connection: Connection) -> list[Fact]:
    """Where we deliver, and how mail is changed on the way."""
    host = connection.next_hop_host
    where = f"{host}, port {connection.next_hop_port}" if host else "Not known yet"
    return [
        ("We deliver to", Cell(where, is_alarming=not host)),
        ("Name in its certificate", Cell(connection.tls_name or "—")),
        ("Recipients lose the suffix", yes_or_no(connection.strips_suffix)),
        ("Tag in the subject", Cell(connection.subject_tag or "—")),
    ]


def tests(connection: Connection) -> Section:
    """The steps of the last test, and what the daily check found."""
    last = Rehearsal.objects.filter(connection=connection).first()
    rows = [_step(step) for step in last.steps.all()] if last else []
    own = reverse("organisation:connections", args=[connection.organisation_id])
    return Section(
        "Tests",
        facts=_test_facts(connection, last),
        table=Table(TEST_HEADINGS, rows, NOT_TESTED),
        buttons=[Button("Test it on its own page", own, Permission.MANAGE_CONNECTIONS)],
    )


def _test_facts(connection: Connection, last: Rehearsal | None) -> list[Fact]:
    facts = [("Last tested", Cell(at=last.started_at))] if last else []
    watch = Watch.objects.filter(connection=connection).first()
    if watch is None:
        return facts
    facts.append(("Last daily check", Cell(at=watch.looked_at)))
    if watch.certificate_ends_at:
        facts.append(("Its certificate ends", Cell(at=watch.certificate_ends_at)))
    if watch.fault:
        facts.append(("Fault", Cell(watch.fault, is_alarming=True)))
    return facts


def _step(step: Step) -> list[Cell]:
    is_failed = step.state == StepState.FAILED
    return [
        Cell(step.get_key_display()),
        Cell(step.get_state_display(), is_alarming=is_failed),
        Cell(step.seen),
        Cell(step.fault),
    ]
