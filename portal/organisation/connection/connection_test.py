"""Tests of a connection in both directions, with each step shown as it happens."""

from __future__ import annotations

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.models import Organisation, Person
from onboarding.connecting import (
    actions,
    connection_test_mailbox,
    rehearsal_outcomes,
    tasks,
)
from onboarding.connecting.models import Rehearsal, StepState
from portal.organisation.connection.connections import (
    CONNECTIONS,
    SECTION,
    get_connection,
)
from portal.organisation.connection.forms import ConnectionTestForm
from portal.organisation.frame import render_section
from portal.ui.visitor import signed_in_person

EARLIER_SHOWN = 10


@CONNECTIONS
@require_http_methods(["GET", "POST"])
def start(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    """Starts a test of the connection."""
    found = get_connection(organisation, connection_id)
    form = ConnectionTestForm(
        request.POST or None,
        organisation=organisation,
        initial={
            "recipient": _usual_recipient(signed_in_person(request), organisation)
        },
    )
    started: list[Rehearsal] = []

    def run() -> None:
        with transaction.atomic():
            rehearsal = actions.start_rehearsal(
                found,
                recipient=form.cleaned_data["recipient"],
                by=signed_in_person(request),
            )
            tasks.start(rehearsal)
        started.append(rehearsal)

    if form.submit(run, field="recipient"):
        return redirect(
            "organisation:rehearsal", organisation.pk, found.pk, started[0].pk
        )
    context = {
        "form": form,
        "connection": found,
        "earlier": found.rehearsals.prefetch_related("steps")[:EARLIER_SHOWN],
    }
    return render_section(request, organisation, "connection_tests", SECTION, context)


@CONNECTIONS
@require_GET
def show(
    request: HttpRequest,
    organisation: Organisation,
    connection_id: int,
    rehearsal_id: int,
) -> HttpResponse:
    """The steps of a test, as far as it has come."""
    found = get_connection(organisation, connection_id)
    chosen = found.rehearsals.filter(pk=rehearsal_id).first()
    if chosen is None:
        raise Http404
    rehearsal_outcomes.update(chosen)
    steps = list(chosen.steps.all())
    context = {
        "connection": found,
        "rehearsal": chosen,
        "steps": steps,
        "faults": [step for step in steps if step.state == StepState.FAILED],
        "test_address": connection_test_mailbox.address(),
        "minutes": int(rehearsal_outcomes.PATIENCE.total_seconds() // 60),
    }
    return render_section(request, organisation, "connection_test", SECTION, context)


def _usual_recipient(person: Person, organisation: Organisation) -> str:
    return person.address if person.organisation_id == organisation.pk else ""
