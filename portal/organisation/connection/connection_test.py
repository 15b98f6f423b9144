"""Trying a connection both ways, with each step shown as it happens."""

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
from portal.organisation.connection.connections import KEEPER, SECTION, connection_in
from portal.organisation.connection.forms import RehearsalForm
from portal.organisation.frame import show, visitor, within

HISTORY = 10  # earlier tests on the page


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def begin(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    found = connection_in(organisation, connection_id)
    form = RehearsalForm(
        request.POST or None,
        organisation=organisation,
        initial={"recipient": _usual_recipient(visitor(request), organisation)},
    )
    made: list[Rehearsal] = []

    def verb() -> None:
        with transaction.atomic():
            rehearsal = actions.start_rehearsal(
                found, recipient=form.cleaned_data["recipient"], by=visitor(request)
            )
            tasks.start(rehearsal)
        made.append(rehearsal)

    if form.submit(verb, field="recipient"):
        return redirect("organisation:rehearsal", organisation.pk, found.pk, made[0].pk)
    context = {
        "form": form,
        "connection": found,
        "earlier": found.rehearsals.prefetch_related("steps")[:HISTORY],
    }
    return show(request, organisation, "connection_tests", SECTION, context)


@within(KEEPER)
@require_GET
def rehearsal(
    request: HttpRequest,
    organisation: Organisation,
    connection_id: int,
    rehearsal_id: int,
) -> HttpResponse:
    found = connection_in(organisation, connection_id)
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
    return show(request, organisation, "connection_test", SECTION, context)


def _usual_recipient(person: Person, organisation: Organisation) -> str:
    return person.address if person.organisation_id == organisation.pk else ""
