"""The overview says first what to do next, and what stopped working."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.registry.models import Connection, Organisation, Person
from onboarding.connecting import next_hop_monitor
from onboarding.connecting.models import Rehearsal, Step, StepKey, StepState, Watch
from portal.organisation import attention, next_steps
from tests import factories
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def undone(organisation: Organisation) -> list[str]:
    return [step.text for step in next_steps.of(organisation) if not step.is_done]


def rehearse(connection: Connection, *states: StepState) -> None:
    rehearsal = Rehearsal.objects.create(
        connection=connection, recipient="x@firm.example", finished_at=timezone.now()
    )
    for position, (key, state) in enumerate(zip(StepKey, states, strict=False)):
        Step.objects.create(
            rehearsal=rehearsal, key=key, position=position, state=state
        )


def test_a_firm_with_its_own_server_is_led_through_the_set_up(
    firm: Organisation, firm_connection: Connection
) -> None:
    firm_connection.next_hop_host = ""
    firm_connection.save()
    assert undone(firm) == [
        "Connect your mail server",
        "Test the connection",
        "Add your people",
    ]

    firm_connection.next_hop_host = "mail.firm.example"
    firm_connection.save()
    factories.make_connection_credential(firm_connection, "firm", "digest")
    assert undone(firm)[0] == "Test the connection"

    rehearse(firm_connection, StepState.PASSED, StepState.FAILED)
    assert undone(firm)[0] == "Test the connection"
    rehearse(firm_connection, StepState.PASSED, StepState.PASSED)
    assert undone(firm) == ["Add your people"]

    for name in ("jane", "tom"):
        factories.make_person(f"{name}@firm.example.secure.example", firm)
    assert next_steps.of(firm) == []


def test_a_hosted_organisation_has_nothing_to_connect(
    northfield: Organisation, alice: Person
) -> None:
    assert undone(northfield) == ["Add your people"]


def test_the_overview_leads_on_and_says_since_when_and_why_the_check_fails(
    signed_in: SignIn, firm: Organisation, firm_connection: Connection
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    since = timezone.now() - timedelta(days=3)
    Watch.objects.create(
        connection=firm_connection,
        looked_at=timezone.now(),
        failing_since=since,
        fault="mail.firm.example does not answer on port 25.",
    )

    page = signed_in(jane, second_factor=True).get(f"/organisation/{firm.pk}/")

    text = page.content.decode()
    first = attention.hints(firm, jane)[0].text
    assert "has failed since" in first
    assert "does not answer on port 25" in first
    assert text.index("What to do next") < text.index("What needs your attention")
    assert f"/organisation/{firm.pk}/connection/" in text


def test_the_first_of_failures_in_a_row_is_kept(
    firm_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finding:
        certificate = None
        fault = "It does not answer."

    monkeypatch.setattr(next_hop_monitor, "diagnose", lambda hop: [Finding()])
    first = next_hop_monitor.check(firm_connection).failing_since
    assert next_hop_monitor.check(firm_connection).failing_since == first
    assert first is not None

    Finding.fault = ""
    assert next_hop_monitor.check(firm_connection).failing_since is None
