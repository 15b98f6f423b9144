"""What an organisation still has to do before its mail flows: connect, test, add people."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.urls import reverse

from engine.registry.models import Connection, Organisation, Proof
from onboarding.connecting.models import Rehearsal, Step, StepState


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step of the set-up, and the page on which it is done."""

    text: str
    href: str
    is_done: bool


def of(organisation: Organisation) -> list[NextStep]:
    """Returns the steps in their order; empty once all are done."""
    steps = [*_connecting(organisation), _people(organisation)]
    return steps if any(not step.is_done for step in steps) else []


def _connecting(organisation: Organisation) -> list[NextStep]:
    if organisation.is_hosted or organisation.is_trusted_domain:
        return []
    pk = organisation.pk
    live = organisation.connections.filter(is_active=True)
    connection = live.first()
    addresses = reverse("organisation:addresses", args=[pk])
    connections = reverse("organisation:connections", args=[pk])
    tests = (
        reverse("organisation:rehearsals", args=[pk, connection.pk])
        if connection
        else connections
    )
    return [
        NextStep(
            "Verify your domain",
            addresses,
            organisation.domains.exclude(verified_at=None).exists(),
        ),
        NextStep("Connect your mail server", connections, any(map(_is_set_up, live))),
        NextStep("Test the connection", tests, _is_tested(organisation)),
    ]


def _is_set_up(connection: Connection) -> bool:
    """Returns whether mail can go in both directions."""
    if not connection.next_hop_host:
        return False
    match Proof(connection.proof):
        case Proof.CREDENTIAL:
            return connection.credentials.filter(revoked_at=None).exists()
        case Proof.SOURCE:
            return bool(connection.source_networks)
        case Proof.CERTIFICATE:
            return bool(connection.certificate_name)
        case Proof.CLOUD:
            return bool(connection.tenant_id)


def _is_tested(organisation: Organisation) -> bool:
    """Returns whether a test went well in both directions."""
    steps = Step.objects.filter(rehearsal=OuterRef("pk"))
    return Rehearsal.objects.filter(
        Exists(steps),
        ~Exists(steps.exclude(state=StepState.PASSED)),
        connection__organisation=organisation,
        connection__is_active=True,
    ).exists()


def _people(organisation: Organisation) -> NextStep:
    """The one who signed up is there; the others are to be added."""
    return NextStep(
        "Add your people",
        reverse("organisation:people", args=[organisation.pk]),
        organisation.people.count() > 1,
    )
