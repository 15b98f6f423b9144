"""Only the author can withdraw a message, and only before anyone has received it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.audit.models import Entry
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.message import split
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus, Source
from engine.queue.withdrawal import withdraw
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage import content
from tests import factories
from tests.engine.queue.conftest import RAW

pytestmark = pytest.mark.django_db


def waiting(author: Person | None, *recipients: str) -> str:
    """A message that its author can withdraw for another minute."""
    incoming = AcceptedMessage(
        envelope=Envelope.simple(
            Address.parse("bob@northfield.secure.example"),
            *map(Address.parse, recipients or ("alice@northfield.secure.example",)),
        ),
        destinations=("mailbox",) * max(len(recipients), 1),
        kept=content.keep(*split(RAW)),
        source=Source.WEBMAIL,
        organisation_id=author.organisation_id if author else None,
        person_id=author.pk if author else None,
        release_at=timezone.now() + timedelta(minutes=1),
    )
    return commit.commit_messages([incoming])[0]


def statuses() -> set[str]:
    return set(Recipient.objects.values_list("status", flat=True))


def test_its_author_takes_it_back(alice: Person, bob: Person) -> None:
    reference = waiting(bob)

    withdraw(reference, by=bob)

    assert statuses() == {RecipientStatus.DROPPED}
    assert Entry.objects.filter(event="queue.withdrawn").exists()
    assert Recipient.objects.get().status_words == "Taken back by its sender"


def test_nobody_else_does(
    alice: Person, bob: Person, charlie: Person, olive: Person
) -> None:
    """Colleagues with the same mailbox, administrators, neighbours, operators."""
    team = factories.make_group_mailbox(
        "duty@northfield.secure.example", bob.organisation
    )
    for person in (alice, bob):
        factories.make_grant(team, person, can_send=True)
    reference = waiting(bob)

    for other in (alice, charlie, olive):
        with pytest.raises(PolicyError, match="cannot be undone"):
            withdraw(reference, by=other)

    assert statuses() == {RecipientStatus.QUEUED}
    assert not Entry.objects.filter(event="queue.withdrawn").exists()


def test_what_no_person_sent_is_nobodys_to_take_back(
    alice: Person, bob: Person
) -> None:
    reference = waiting(None)

    with pytest.raises(PolicyError):
        withdraw(reference, by=bob)

    assert statuses() == {RecipientStatus.QUEUED}


def test_a_reference_of_no_message_takes_back_no_other(
    alice: Person, bob: Person
) -> None:
    waiting(bob)

    with pytest.raises(PolicyError):
        withdraw("unknown", by=bob)

    assert statuses() == {RecipientStatus.QUEUED}
    assert not Entry.objects.filter(event="queue.withdrawn").exists()


def test_only_the_message_that_is_named_is_taken_back(
    alice: Person, bob: Person
) -> None:
    first, other = waiting(bob), waiting(bob)

    withdraw(first, by=bob)

    kept = Recipient.objects.exclude(status=RecipientStatus.DROPPED)
    assert [row.message.reference for row in kept] == [other]


@pytest.mark.parametrize(
    "changed",
    [
        {"attempts": 1},
        {"leased_until": timezone.now() + timedelta(minutes=5)},
        {"status": RecipientStatus.DELIVERED},
        {"status": RecipientStatus.HELD, "hold": Hold.OPERATOR},
    ],
    ids=["tried", "leased", "delivered", "held"],
)
def test_it_stays_for_everybody_once_one_copy_is_on_its_way(
    alice: Person, bob: Person, changed: dict[str, object]
) -> None:
    reference = waiting(bob, alice.address, bob.address)
    one = Recipient.objects.filter(address=alice.address)
    one.update(**changed)

    with pytest.raises(PolicyError):
        withdraw(reference, by=bob)

    assert not Recipient.objects.filter(status=RecipientStatus.DROPPED).exists()
    assert QueuedMessage.objects.filter(reference=reference).exists()
