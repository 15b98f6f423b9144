from __future__ import annotations

import pytest
from django.test import Client

from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient
from engine.queue.enqueue import local_submission
from engine.queue.models import Source
from engine.registry.models import Person
from tests.portal.conftest import SignIn

RAW = (
    b"From: alice@northfield.secure.example\r\nMessage-ID: <one@northfield.example>\r\n"
    b"Subject: Secret subject\r\n\r\nSecret body\r\n"
)


@pytest.fixture
def staff_client(signed_in: SignIn, hugh: Person) -> Client:
    """The browser of a helpdesk agent."""
    return signed_in(hugh, second_factor=True)


@pytest.fixture
def sent(alice: Person, bob: Person) -> str:
    envelope = Envelope(
        Address.parse(alice.address), (EnvelopeRecipient(Address.parse(bob.address)),)
    )
    return local_submission.submit(
        RAW, envelope=envelope, source=Source.WEBMAIL, by=alice
    )


def references_found(staff_client: Client, query: str) -> set[str]:
    [(section, _)] = staff_client.get(f"/admin/trace/?{query}").context["sections"]
    return {row[-1].text for row in section.table.rows}


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("q=bob@northfield.secure.example", True),
        ("q=alice@northfield.secure.example", True),
        ("q=one@northfield.example", True),
        ("q=%3Cone@northfield.example%3E", True),
        ("q=two@northfield.example", False),
        ("q=nonsense", False),
        ("since=2999-01-01", False),
        ("until=2000-01-01", False),
        ("since=nonsense&until=2026-99-99", True),
        ("kind=delivered", True),
        ("kind=failed", False),
    ],
)
def test_message_is_found(
    staff_client: Client, sent: str, query: str, is_found: bool
) -> None:
    assert (sent in references_found(staff_client, query)) is is_found


def test_story_tells_everything_but_what_is_in_the_message(
    staff_client: Client, sent: str
) -> None:
    page = staff_client.get(f"/admin/trace/{sent}/").content.decode()

    assert "Delivered to the mailbox" in page
    assert "Northfield Court" in page
    assert "Secret" not in page


def test_story_of_nothing_is_not_there(staff_client: Client) -> None:
    assert staff_client.get("/admin/trace/NOTHING/").status_code == 404
