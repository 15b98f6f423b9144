"""The trace of one's own mail: what another organisation may not know is not there."""

from __future__ import annotations

import pytest
from django.test import Client

from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient
from engine.queue import submit
from engine.queue.models import Source
from engine.registry.models import Organisation, Person
from tests.portal.conftest import SignIn
from tests.portal.organisation.conftest import Path

pytestmark = pytest.mark.django_db


def send(by: Person, *to: Person) -> str:
    raw = f"From: {by.address}\r\nSubject: Secret subject\r\n\r\nSecret body\r\n"
    recipients = tuple(EnvelopeRecipient(Address.parse(p.address)) for p in to)
    envelope = Envelope(Address.parse(by.address), recipients)
    return submit.submit(raw.encode(), envelope=envelope, source=Source.WEBMAIL, by=by)


@pytest.fixture
def from_harbour(charlie: Person, bob: Person) -> str:
    """A message of Charlie's to Bob of Northfield and to himself."""
    return send(charlie, bob, charlie)


@pytest.fixture
def from_northfield(alice: Person, charlie: Person) -> str:
    return send(alice, charlie)


def references(office: Client, at: Path, query: str = "") -> set[str]:
    lines = office.get(at(f"trace/?{query}")).context["lines"]
    return {line.reference for line, _ in lines}


def test_newest_sent_messages_come_first(
    office: Client, at: Path, from_northfield: str, from_harbour: str
) -> None:
    assert references(office, at) == {from_northfield}


@pytest.mark.parametrize(
    ("query", "finds_own", "finds_received"),
    [
        ("recipient=bob@northfield.secure.example", False, True),
        ("recipient=BOB@northfield.secure.example", False, True),
        ("recipient=charlie@harbour.secure.example", True, False),
        ("sender=charlie@harbour.secure.example", False, True),
        ("sender=alice@northfield.secure.example", True, False),
        ("sender=alice@northfield.secure.example&since=2999-01-01", False, False),
        ("recipient=nonsense", False, False),
        ("since=nonsense&until=2026-99-99", True, False),
    ],
)
def test_search(
    office: Client,
    at: Path,
    from_northfield: str,
    from_harbour: str,
    query: str,
    finds_own: bool,
    finds_received: bool,
) -> None:
    found = references(office, at, query)

    assert (from_northfield in found) is finds_own
    assert (from_harbour in found) is finds_received


def test_reference_finds_a_message_of_ones_own_only(
    office: Client, at: Path, from_harbour: str, charlie: Person
) -> None:
    theirs = send(charlie, charlie)

    assert references(office, at, f"reference={from_harbour.lower()}") == {from_harbour}
    assert references(office, at, f"reference={theirs}") == set()
    assert office.get(at(f"trace/{theirs}/")).status_code == 404
    assert office.get(at("trace/NOTHING/")).status_code == 404


def test_receiver_sees_own_recipients_only_and_nothing_of_the_content(
    office: Client, at: Path, from_harbour: str
) -> None:
    listed = office.get(at("trace/?sender=charlie@harbour.secure.example"))
    page = office.get(at(f"trace/{from_harbour}/")).content.decode()

    [(line, _)] = listed.context["lines"]
    assert [r.address for r in line.recipients] == ["bob@northfield.secure.example"]
    assert "Delivered to the mailbox" in page
    assert ": charlie@harbour" not in page
    for secret in ("Secret subject", "Secret body"):
        assert secret not in page
        assert secret not in listed.content.decode()


def test_sender_sees_every_recipient(
    signed_in: SignIn, charlie: Person, harbour: Organisation, from_harbour: str
) -> None:
    client = signed_in(charlie, second_factor=True)

    page = client.get(f"/organisation/{harbour.pk}/trace/{from_harbour}/")

    recipients = {step.recipient for step in page.context["story"].steps}
    assert recipients == {
        "",
        "bob@northfield.secure.example",
        "charlie@harbour.secure.example",
    }


def test_a_long_trace_takes_few_queries(
    office: Client, at: Path, alice: Person, bob: Person, django_assert_max_num_queries
) -> None:
    for _ in range(30):
        send(alice, bob)

    with django_assert_max_num_queries(18):
        page = office.get(at("trace/"))

    assert len(page.context["lines"]) == 30
