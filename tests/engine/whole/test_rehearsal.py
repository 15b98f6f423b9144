"""A rehearsal of a connection both ways, with a running engine and real messages."""

from __future__ import annotations

import smtplib
from collections.abc import Callable

import pytest
from django.conf import settings

from engine.registry.models import Connection, Kind
from onboarding.connecting import (
    actions,
    connection_test_mailbox,
    rehearsal_outcomes,
    rehearsals,
)
from onboarding.connecting.models import StepState
from portal.demo.certificates import Authority
from tests import factories
from tests.next_hop import NextHop
from tests.peers.engine import Engine
from tests.peers.process import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

JANE = "jane@firm.example"


def test_every_step_passes_once_both_messages_have_arrived(
    authority: Authority,
    firm_with_credential: Connection,
    next_hop: NextHop,
    engine: Engine,
    connect: Callable[[Engine], smtplib.SMTP],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings.POSTERN, "tls_ca_file", str(authority.ca_file))
    monkeypatch.setattr(settings.POSTERN, "tls_cert_file", "")
    service = factories.make_organisation(name="Service desk", kind=Kind.OPERATOR)
    factories.make_domain(service, "secure.example")
    rehearsal = actions.start_rehearsal(firm_with_credential, recipient=JANE, by=None)

    def is_over() -> bool:
        rehearsal_outcomes.update(rehearsal)
        return rehearsal.finished_at is not None

    rehearsals.run(rehearsal)
    rehearsals.run(rehearsal)
    wait_until(lambda: bool(next_hop.received), "our message")
    with connect(engine) as theirs:
        theirs.sendmail(
            JANE, [connection_test_mailbox.address()], f"From: {JANE}\r\n\r\nTest\r\n"
        )
    wait_until(is_over, f"the rehearsal\n{engine.log}")

    assert [one.recipients for one in next_hop.received] == [[JANE]]
    assert {step.state for step in rehearsal.steps.all()} == {StepState.PASSED}
