from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.queue.models import QueuedMessage, Source
from engine.registry.models import Mailbox, Person
from engine.storage import content
from engine.storage.models import Message
from portal.webmail.arrival_notices import choice
from portal.webmail.models import ArrivalNotice, Period
from portal.webmail.tasks import send_arrival_notices
from tests.engine.queue.conftest import Queue

HOME = "bob@home.example"


@pytest.fixture
def bob(bob: Person, charlie: Person) -> Person:
    """Bob, who reads mail at home, too. Charlie writes to him."""
    bob.everyday_address = HOME
    bob.save()
    return bob


def notify(
    person: Person, *mailboxes: Mailbox, period: Period = Period.AT_ONCE
) -> ArrivalNotice:
    """Has the person notified at the everyday address, which is proved."""
    choice.choose(person, period=period, mailboxes=mailboxes)
    choice.prove(person, choice.proof_token(person))
    return ArrivalNotice.objects.get(person=person)


def arrive(address: str, sender: str = "charlie@harbour.secure.example") -> Message:
    """Delivers a message, and makes it old enough for a notice."""
    Queue().send(sender, address)
    Message.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    return Message.objects.latest("pk")


def run() -> list[str]:
    """Runs the job, and returns the texts of the notices that it queued."""
    before = set(QueuedMessage.objects.values_list("pk", flat=True))
    send_arrival_notices()
    made = QueuedMessage.objects.filter(source=Source.SYSTEM).exclude(pk__in=before)
    return [
        content.read(one).decode()
        for one in made.select_related("content").order_by("pk")
    ]


def age(by: timedelta) -> None:
    """Moves the last notices back by that much."""
    for notice in ArrivalNotice.objects.exclude(sent_at=None):
        notice.sent_at -= by
        notice.save()
