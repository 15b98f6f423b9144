"""What people in webmail and API keys are refused is in their organisation's trace."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.queue.enqueue import local_submission
from engine.queue.enqueue.local_refusals import LIMIT
from engine.queue.models import Source
from engine.registry.models import Actor, ApiKey, Organisation, Person
from engine.trace.models import Event, EventKind
from tests.engine.antivirus.specimens import EICAR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests() -> None:
    cache.clear()


@pytest.fixture
def key(northfield: Organisation) -> ApiKey:
    return ApiKey.objects.create(
        organisation=northfield, name="Case system", client_id="k1", digest="d"
    )


def refusal_of(by: Actor, sender: str, *to: str, body: str = "Hello") -> str:
    envelope = Envelope.simple(Address.parse(sender), *map(Address.parse, to))
    raw = f"From: {sender}\r\n\r\n{body}\r\n".encode()
    with pytest.raises(MailError) as refused:
        local_submission.submit(raw, envelope=envelope, source=Source.API, by=by)
    return refused.value.reply.text


def test_a_person_is_refused_under_the_quoted_reference(bob: Person) -> None:
    said = refusal_of(bob, bob.address, "nobody@northfield.secure.example")

    event = Event.objects.get(kind=EventKind.REFUSED)
    assert said.endswith(f"(our reference {event.reference})")
    assert event.refused_for_id == bob.organisation_id
    assert event.recipient == "nobody@northfield.secure.example"
    assert event.detail["sender"] == bob.address
    assert event.detail["person_id"] == bob.pk


def test_a_key_is_refused_for_each_recipient(
    key: ApiKey, alice: Person, charlie: Person
) -> None:
    refusal_of(key, charlie.address, alice.address, charlie.address)

    events = Event.objects.filter(kind=EventKind.REFUSED)
    assert {event.recipient for event in events} == {alice.address, charlie.address}
    assert {event.refused_for_id for event in events} == {key.organisation_id}
    assert events[0].detail["key_id"] == key.pk


def test_a_virus_is_one_reference(bob: Person, alice: Person) -> None:
    said = refusal_of(bob, bob.address, alice.address, body=EICAR.decode())

    events = Event.objects.exclude(refused_for_id=None)
    assert {event.kind for event in events} == {
        EventKind.QUARANTINED,
        EventKind.REFUSED,
    }
    assert {event.refused_for_id for event in events} == {bob.organisation_id}
    [reference] = {event.reference for event in events}
    assert said.count(reference) == 1


def test_a_temporary_refusal_is_traced_once_and_quotes_nothing(
    bob: Person, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(raw: bytes) -> None:
        raise ScannerUnavailable("nobody answers")

    monkeypatch.setattr(message_scan, "scan_bytes", away)

    said = [refusal_of(bob, bob.address, alice.address) for _ in range(3)]

    assert Event.objects.filter(kind=EventKind.REFUSED).count() == 1
    assert not any("our reference" in text for text in said)


def test_a_program_that_goes_on_and_on_does_not_fill_the_trace(key: ApiKey) -> None:
    nobody = "nobody@northfield.secure.example"

    said = [refusal_of(key, nobody, nobody) for _ in range(LIMIT + 5)]

    assert Event.objects.filter(kind=EventKind.REFUSED).count() == LIMIT
    assert ["our reference" in text for text in said] == [True] * LIMIT + [False] * 5
