from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.audit.models import Entry
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.message import split
from engine.queue.enqueue import group_mailbox_audit, local_submission
from engine.queue.enqueue.accepted_message import MAILBOX, AcceptedMessage
from engine.queue.models import QueuedMessage, Source
from engine.registry.models import Connection, Mailbox, Organisation, Person
from engine.storage import content
from engine.storage.models import Message
from engine.trace.models import Event, EventKind
from tests import factories
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db

TEAM = "team@firm.example.secure.example"


@pytest.fixture
def jane(firm: Organisation) -> Person:
    """A person of Firm, whose own mail is on Firm's server."""
    return factories.make_person(JANE, firm)


@pytest.fixture
def team(firm: Organisation, firm_connection: Connection, jane: Person) -> Mailbox:
    made = factories.make_group_mailbox(TEAM, firm)
    factories.make_grant(made, jane, can_read=True, can_send=True)
    return made


def send(by: Person, *, sender: str, author: str, to: str) -> str:
    raw = f"From: {author}\r\nTo: {to}\r\n\r\nGood morning\r\n".encode()
    envelope = Envelope.simple(Address.parse(sender), Address.parse(to))
    return local_submission.submit(raw, envelope=envelope, source=Source.WEBMAIL, by=by)


def test_team_of_a_server_organisation_writes_from_its_own_address(
    team: Mailbox, jane: Person, bob: Person
) -> None:
    reference = send(jane, sender=TEAM, author=TEAM, to=bob.address)

    message = Message.objects.select_related("content").get()
    assert message.from_address == TEAM
    assert b"Sender:" not in bytes(message.content.header)
    assert QueuedMessage.objects.get().person_id == jane.pk
    received = Event.objects.get(reference=reference, kind=EventKind.RECEIVED)
    assert received.detail["person_id"] == jane.pk


@pytest.mark.parametrize(("sender", "author"), [(TEAM, TEAM), (JANE, TEAM)])
def test_who_wrote_as_the_team_is_in_the_audit_trail(
    team: Mailbox, jane: Person, bob: Person, sender: str, author: str
) -> None:
    reference = send(jane, sender=sender, author=author, to=bob.address)

    entry = Entry.objects.get()
    assert (entry.event, entry.subject_name) == ("mailbox.sent_from", TEAM)
    assert (entry.by_name, entry.detail) == (JANE, {"reference": reference})
    assert entry.organisation_key == str(jane.organisation_id)


def test_who_writes_as_themselves_leaves_no_entry(
    team: Mailbox, jane: Person, bob: Person
) -> None:
    send(jane, sender=JANE, author=JANE, to=bob.address)

    assert not Entry.objects.exists()


def test_who_writes_from_their_own_mailbox_leaves_no_entry(
    team: Mailbox, alice: Person, bob: Person
) -> None:
    send(bob, sender=bob.address, author=bob.address, to=alice.address)

    assert not Entry.objects.exists()


def test_mail_for_the_team_stays_here(
    team: Mailbox, bob: Person, jane: Person, queue
) -> None:
    queue.send(bob.address, "team@firm.example")

    assert Message.objects.get().mailbox == team


def test_a_batch_asks_once_whose_teams_are_in_it(
    team: Mailbox, jane: Person, bob: Person
) -> None:
    def letters(count: int) -> list[AcceptedMessage]:
        raw = f"From: {JANE}\r\nTo: {bob.address}\r\n\r\nGood morning\r\n".encode()
        return [
            AcceptedMessage(
                envelope=Envelope.simple(
                    Address.parse(JANE), Address.parse(bob.address)
                ),
                destinations=(MAILBOX,),
                kept=content.keep(*split(raw)),
                source=Source.WEBMAIL,
                person_id=jane.pk,
            )
            for _ in range(count)
        ]

    with CaptureQueriesContext(connection) as few:
        group_mailbox_audit.record_group_senders(letters(1))
    with CaptureQueriesContext(connection) as many:
        group_mailbox_audit.record_group_senders(letters(9))

    assert len(many) == len(few)
