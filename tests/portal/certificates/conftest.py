from __future__ import annotations

from email.message import EmailMessage

import pytest

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.queue.enqueue import mailbox_submission
from engine.queue.enqueue.mailbox_submission import Recipients, SentMessage
from engine.queue.models import Source
from engine.registry.models import Person
from engine.storage.models import Message


def send(by: Person, *to: Person, bcc: tuple[Person, ...] = ()) -> SentMessage:
    """Sends a message from the person's mailbox, with a copy in Sent."""
    message = EmailMessage()
    message["From"], message["To"] = by.address, ", ".join(p.address for p in to)
    message["Subject"], message["Message-ID"] = "Secret subject", "<1@secure.example>"
    message.set_content("Secret body")
    prepared = mailbox_submission.prepare(
        message.as_bytes().replace(b"\n", b"\r\n"),
        sender=by.mailbox,
        recipients=Recipients(to=_named(to), bcc=_named(bcc)),
        source=Source.WEBMAIL,
        by=by,
    )
    return mailbox_submission.commit(prepared)


def _named(people: tuple[Person, ...]) -> list[NamedAddress]:
    return [NamedAddress(p.name, Address.parse(p.address)) for p in people]


def received(by: Person) -> Message:
    """The newest message in a person's inbox."""
    return Message.objects.filter(mailbox=by.mailbox, folder__role="inbox").latest("pk")


@pytest.fixture
def sent(bob: Person, charlie: Person, alice: Person) -> SentMessage:
    """A message of Bob's to Charlie, of Harbour, with a blind copy to Alice."""
    return send(bob, charlie, bcc=(alice,))
