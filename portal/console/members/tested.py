"""What was last seen of a connection: its daily look, and its last rehearsal."""

from __future__ import annotations

from django.urls import reverse

from engine.registry.models import Connection
from engine.registry.permissions import Permission
from onboarding.connecting.models import Rehearsal, Step, StepState, Watch
from portal.console.sheet import Button, Cell, Section, Table

HEADINGS = ("Step", "State", "What was seen", "What is wrong")
UNTRIED = "It has not been tried yet. Open its own page and test it."


def section(connection: Connection) -> Section:
    last = Rehearsal.objects.filter(connection=connection).first()
    rows = [_row(step) for step in last.steps.all()] if last else []
    own = reverse("organisation:connections", args=[connection.organisation_id])
    return Section(
        "Tests",
        facts=_facts(connection, last),
        table=Table(HEADINGS, rows, UNTRIED),
        buttons=[Button("Test it on its own page", own, Permission.MANAGE_CONNECTIONS)],
    )


def _facts(connection: Connection, last: Rehearsal | None) -> list[tuple[str, Cell]]:
    facts = [("Last tried", Cell(at=last.started_at))] if last else []
    watch = Watch.objects.filter(connection=connection).first()
    if watch is None:
        return facts
    facts.append(("Looked at daily, last", Cell(at=watch.looked_at)))
    if watch.certificate_ends_at:
        facts.append(("Its certificate ends", Cell(at=watch.certificate_ends_at)))
    if watch.fault:
        facts.append(("Fault", Cell(watch.fault, is_alarming=True)))
    return facts


def _row(step: Step) -> list[Cell]:
    is_failed = step.state == StepState.FAILED
    return [
        Cell(step.get_key_display()),
        Cell(step.get_state_display(), is_alarming=is_failed),
        Cell(step.seen),
        Cell(step.fault),
    ]
