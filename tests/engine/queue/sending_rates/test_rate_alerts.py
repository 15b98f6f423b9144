"""Who is notified of a sender over its rate: once, and with what to do."""

from __future__ import annotations

import time

import pytest

from engine.queue.models import QueuedMessage, Recipient
from engine.queue.sending_rates import rate_alerts, rate_limits
from engine.queue.sending_rates.rate_limits import Meter, RateExceededError
from engine.queue.sending_rates.sending_counts import Count
from engine.registry.models import Organisation, Person
from tests import factories
from tests.engine.queue.sending_rates.test_rate_limits import (
    Clock,
    _low_limits,
    meter,
    send,
    sender,
)

__all__ = ["_low_limits", "meter"]

pytestmark = pytest.mark.django_db


def notices() -> list[str]:
    return sorted(
        Recipient.objects.filter(message__source="system").values_list(
            "address", flat=True
        )
    )


@pytest.fixture
def helpdesk_domain(db: None) -> None:
    service = factories.make_organisation(name="Service desk")
    factories.make_domain(service, "secure.example")


def test_the_operator_and_the_administrators_hear_once(
    bob: Person, alice: Person, charlie: Person, olive: Person, helpdesk_domain: None
) -> None:
    factories.make_mailbox(
        olive, organisation=Organisation.objects.get(name="Service desk")
    )
    clock = Clock()
    meters = [rate_limits.meter, Meter(clock)]
    rate_limits.meter.clock = clock
    try:
        for meter in meters:
            for _ in range(3):
                meter.count([(sender(bob), Count(1, 1))])
            for _ in range(4):
                with pytest.raises(RateExceededError):
                    send(meter, sender(bob))
            rate_alerts.send_due_alerts()
        clock.now += 60
        rate_limits.meter.count([(sender(bob), Count(3, 3))])
        for _ in range(3):
            with pytest.raises(RateExceededError):
                send(rate_limits.meter, sender(bob))
        rate_alerts.send_due_alerts()
    finally:
        rate_limits.meter.clock = time.time

    assert notices() == [alice.address, olive.address]
    text = bytes(QueuedMessage.objects.filter(source="system")[0].content.body).decode()
    assert "Sender: bob@northfield.secure.example\r\n" in text
    assert "Organisation: Northfield Court\r\n" in text
    assert "4 times" in text
