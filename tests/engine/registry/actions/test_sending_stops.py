from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.registry.actions import sending_stops
from engine.registry.errors import PolicyError
from engine.registry.models import SendingStop, StopKind
from tests import factories

pytestmark = pytest.mark.django_db


def test_stopping_and_lifting_are_audited_for_the_organisation(bob, olive):
    stop = sending_stops.stop(bob, reason="Sends spam", by=olive)
    sending_stops.lift(stop, reason="Password changed", by=olive)

    entries = list(Entry.objects.filter(event__startswith="sending.").order_by("id"))
    assert [one.event for one in entries] == ["sending.stopped", "sending.resumed"]
    assert {one.organisation_key for one in entries} == {str(bob.organisation_id)}
    assert [one.detail["reason"] for one in entries] == [
        "Sends spam",
        "Password changed",
    ]
    assert entries[0].detail["sender"] == bob.address
    assert not SendingStop.objects.exists()


def test_an_address_is_stopped_in_either_form(firm, olive):
    stop = sending_stops.stop_address("Jane@FIRM.example", reason="x", by=olive)

    assert (stop.kind, stop.address) == (
        StopKind.ADDRESS,
        "jane@firm.example.secure.example",
    )
    assert stop.organisation == firm


def test_the_address_of_a_person_stops_the_person(bob, olive):
    stop = sending_stops.stop_address(bob.address, reason="x", by=olive)

    assert (stop.kind, stop.subject_id) == (StopKind.PERSON, bob.pk)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("jane", "is not an address"),
        ("jane@elsewhere.example", "of no organisation here"),
        ("jane@unverified.example", "of no organisation here"),
    ],
)
def test_what_nobody_here_sends_from_is_refused(firm, olive, address, said):
    factories.make_domain(firm, "unverified.example", verified_at=None)

    with pytest.raises(PolicyError, match=said):
        sending_stops.stop_address(address, reason="x", by=olive)


def test_a_stop_is_placed_once_and_lifted_once(firm_connection, olive):
    stop = sending_stops.stop(firm_connection, reason="x", by=olive)
    with pytest.raises(PolicyError, match="stopped already"):
        sending_stops.stop(firm_connection, reason="y", by=olive)
    same = SendingStop.objects.get()

    sending_stops.lift(stop, reason="z", by=olive)
    with pytest.raises(PolicyError, match="may send again already"):
        sending_stops.lift(same, reason="z", by=olive)


def test_staff_outside_every_organisation_send_nothing(olive):
    with pytest.raises(PolicyError, match="no organisation"):
        sending_stops.stop(olive, reason="x", by=None)
