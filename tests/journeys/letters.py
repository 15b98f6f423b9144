"""Messages as members' own mail programs receive them."""

from __future__ import annotations

import email
from email import policy
from email.message import EmailMessage

from tests.journeys.visitor import Person
from tests.peers import mpop
from tests.peers.postern import Postern
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until


def download_messages(
    postern: Postern, person: Person, subject: str, *, team: str = ""
) -> list[EmailMessage]:
    """Downloads a person's messages by POP3S and returns those with that subject.

    With `team` they come from the group mailbox of that address.
    """
    raw = mpop.download(
        postern.ports["pop3s"],
        username=team or person["address"],
        password=person["app_password"],
        ca_file=postern.ca_file,
    )
    return with_subject(raw, subject)


def wait_for_message(postern: Postern, person: Person, subject: str) -> EmailMessage:
    """Waits for the only message with that subject and returns it."""
    wait_until(
        lambda: bool(download_messages(postern, person, subject)),
        f"{subject} for {person['address']}",
        90,
    )
    [message] = download_messages(postern, person, subject)
    return message


def wait_for_message_at_firm(firm: Postfix, local: str, subject: str) -> EmailMessage:
    """Waits for the only message with that subject at the firm's server."""
    wait_until(
        lambda: bool(with_subject(firm.messages(local), subject)),
        f"{subject} for {local} at the firm",
        150,
    )
    [message] = with_subject(firm.messages(local), subject)
    return message


def with_subject(raw: list[bytes], subject: str) -> list[EmailMessage]:
    """Parses messages and returns those whose subject starts with `subject`."""
    messages = [email.message_from_bytes(one, policy=policy.default) for one in raw]
    return [
        message
        for message in messages
        if " ".join(message["Subject"].split()).startswith(subject)
    ]


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return body.get_content() if body else ""


def messages_containing(
    postern: Postern, person: Person, words: str
) -> list[EmailMessage]:
    """Downloads a person's messages and returns those whose text contains `words`."""
    raw = mpop.download(
        postern.ports["pop3s"],
        username=person["address"],
        password=person["app_password"],
        ca_file=postern.ca_file,
    )
    messages = [email.message_from_bytes(one, policy=policy.default) for one in raw]
    return [message for message in messages if words in text_of(message)]
