"""Bulk allowances: an operator permits a sender more than usual, with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.audit.models import Entry
from engine.queue.sending_rates import rate_limits
from engine.queue.sending_rates.rate_limits import Meter, RateExceededError
from engine.registry import senders
from engine.registry.actions import allowances
from engine.registry.errors import PolicyError
from engine.registry.models import Allowance, Connection, Organisation, Person
from engine.registry.models import SenderKind as Kind
from engine.registry.senders import Sender
from engine.routing import routes
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


@pytest.mark.parametrize("kind", [Kind.PERSON, Kind.ORGANISATION])
def test_an_allowance_multiplies_the_usual_rates(
    kind: Kind, bob: Person, olive: Person
) -> None:
    meter = Meter(Clock())
    given = bob.pk if kind == Kind.PERSON else bob.organisation_id
    for _ in range(3):
        send(meter, sender(bob))
    with pytest.raises(RateExceededError):
        send(meter, sender(bob))

    allowances.give(kind, given, factor=4, reason="Hearing lists", by=olive)

    for _ in range(9):
        send(meter, sender(bob))
    with pytest.raises(RateExceededError, match="12 messages"):
        send(meter, sender(bob))
    allowances.end(Allowance.objects.get(), by=olive)
    with pytest.raises(RateExceededError, match="8 messages in one day"):
        send(meter, sender(bob))


def test_an_allowance_is_nobody_elses_and_ends_in_time(
    alice: Person, charlie: Person, bob: Person, olive: Person
) -> None:
    meter = Meter(Clock())
    allowances.give(
        Kind.PERSON,
        bob.pk,
        factor=9,
        reason="Once",
        until=timezone.now() + timedelta(days=1),
        by=olive,
    )
    known = routes.current().allowances
    now = timezone.now()

    assert known.factor_of(sender(bob), now) == 9
    assert known.factor_of(sender(bob), now + timedelta(days=2)) == 1
    for other in (sender(alice), sender(charlie), Sender(Kind.KEY, bob.pk, None)):
        assert known.factor_of(other, now) == 1
    assert meter is not rate_limits.meter


@pytest.mark.parametrize(
    "over",
    [
        {"factor": 1},
        {"factor": 1001},
        {"reason": " "},
        {"until": timezone.now() - timedelta(days=1)},
        {"subject_id": 999_999},
    ],
)
def test_an_allowance_that_makes_no_sense_is_refused(
    bob: Person, olive: Person, over: dict[str, object]
) -> None:
    said = {"subject_id": bob.pk, "factor": 5, "reason": "Lists"} | over
    subject_id = said.pop("subject_id")

    with pytest.raises(PolicyError):
        allowances.give(Kind.PERSON, subject_id, **said, by=olive)

    assert not Allowance.objects.exists()


def test_who_gave_an_allowance_and_why_is_on_record(bob: Person, olive: Person) -> None:
    allowances.give(Kind.PERSON, bob.pk, factor=5, reason="Lists", by=olive)
    allowances.give(Kind.PERSON, bob.pk, factor=7, reason="More lists", by=olive)
    allowances.end(Allowance.objects.get(), by=olive)

    entries = Entry.objects.filter(event__startswith="allowance.").order_by("pk")
    assert [entry.event for entry in entries] == [
        "allowance.given",
        "allowance.given",
        "allowance.ended",
    ]
    assert entries[1].detail["reason"] == "More lists"
    assert entries[1].detail["times"] == 7
    assert entries[1].organisation_key == str(bob.organisation_id)


def test_senders_are_found_by_what_people_call_them(
    bob: Person, northfield: Organisation, firm: Organisation,
    firm_connection: Connection,
) -> None:  # fmt: skip
    key = factories.make_api_key(northfield, "digest")
    everybody = factories.make_list("all@northfield.secure.example", northfield)
    factories.make_connection_credential(firm_connection, "firm-1", "digest")

    for text, found in {
        " BOB@northfield.secure.example ": (Kind.PERSON, bob.pk),
        everybody.address: (Kind.LIST, everybody.pk),
        "firm-1": (Kind.CONNECTION, firm_connection.pk),
        key.client_id: (Kind.KEY, key.pk),
        "northfield.secure.example": (Kind.ORGANISATION, northfield.pk),
        "firm.example.secure.example": (Kind.ORGANISATION, firm.pk),
        "nobody": None,
        "": None,
    }.items():
        assert senders.named(text) == found
