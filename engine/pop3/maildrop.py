"""The inbox as a POP3 session sees it: as it was when the session began."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO

from django.db import transaction
from django.db.models import Q

from engine.mail.address import Address
from engine.pop3 import commands
from engine.pop3.commands import Refused
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import Mailbox, MailboxKind
from engine.storage import content, mailbox_delivery, message_actions
from engine.storage.models import Message

BATCH = 500  # rows in one statement


@dataclass(frozen=True, slots=True)
class Item:
    """One message. The id is its unique-id listing: no message has it again."""

    message_id: int
    size: int


@dataclass(frozen=True, slots=True)
class Maildrop:
    """What STAT, LIST and UIDL speak of, oldest first.

    Two arrays rather than a hundred thousand objects, which the garbage collector
    would stop the whole engine to look through.
    """

    mailbox_id: int
    folder_id: int
    ids: array[int]
    sizes: array[int]

    def __len__(self) -> int:
        return len(self.ids)

    def item(self, number: int) -> Item:
        """The message of that number, from 1 on."""
        return Item(self.ids[number - 1], self.sizes[number - 1])


@dataclass(frozen=True, slots=True)
class Access:
    """A mailbox, by what it was opened, and whether messages may be removed from it.

    `digests` are those of the app password under each secret key, `generation` that of the person's sessions.
    """

    mailbox: Mailbox
    may_remove: bool
    person_id: int
    digests: tuple[str, ...] = field(repr=False)
    generation: int


def find_mailbox(username: str, secret: str, *, peer: str) -> Access:
    """What an app password opens: its owner's mailbox or, signed in under that one's
    address, a group mailbox that they may read.

    Raises Refused, and MailError after too many attempts.
    """
    person = authentication.authenticate_person(username, secret, peer=peer)
    if person is None:
        raise Refused(commands.WRONG)
    key = Address.parse(username.strip()).key
    active = Mailbox.objects.filter(is_active=True)
    if key == person.address:
        mailbox, may_remove = active.filter(owner=person).first(), True
    else:
        mailbox = active.filter(kind=MailboxKind.GROUP, address=key).first()
        may_remove = person.grants.filter(mailbox=mailbox, can_write=True).exists()
    if mailbox is None:
        raise Refused(commands.NO_MAILBOX)
    return Access(
        mailbox,
        may_remove,
        person_id=person.pk,
        digests=generated_secrets.digests(secret),
        generation=person.session_generation,
    )


def is_still_open(access: Access) -> bool:
    """False once the app password, the person or the right to the mailbox is gone."""
    if not authentication.is_app_password_valid(
        access.digests, generation=access.generation
    ):
        return False
    own = Q(owner_id=access.person_id)
    granted = Q(grants__person_id=access.person_id, grants__can_read=True)
    return Mailbox.objects.filter(
        own | granted, pk=access.mailbox.pk, is_active=True
    ).exists()


def open_maildrop(mailbox: Mailbox) -> Maildrop:
    """Note down what is in the inbox now."""
    inbox = mailbox_delivery.inbox(mailbox)
    rows = Message.objects.filter(folder=inbox).order_by("id")
    facts = rows.values_list("id", "size", "envelope_sender")
    maildrop = Maildrop(mailbox.pk, inbox.pk, array("Q"), array("Q"))
    for message_id, size, sender in facts.iterator():
        maildrop.ids.append(message_id)
        maildrop.sizes.append(size + len(return_path(sender)))
    return maildrop


def open_message(maildrop: Maildrop, item: Item) -> tuple[bytes, BinaryIO]:
    """The header as it is served, and the body to read and close.

    Raises Message.DoesNotExist or FileNotFoundError when the message is gone.
    """
    message = Message.objects.select_related("content").get(
        pk=item.message_id, mailbox_id=maildrop.mailbox_id
    )
    header = return_path(message.envelope_sender) + bytes(message.content.header)
    return header, content.open_body(message.content)


@transaction.atomic
def erase(maildrop: Maildrop, numbers: Collection[int]) -> None:
    """Remove messages for good, all or none; those moved elsewhere stay."""
    ids = [maildrop.item(number).message_id for number in sorted(numbers)]
    for start in range(0, len(ids), BATCH):
        rows = Message.objects.filter(
            pk__in=ids[start : start + BATCH], folder_id=maildrop.folder_id
        )
        message_actions.erase(list(rows.values_list("pk", flat=True)))


def return_path(sender: str) -> bytes:
    """The field that tells the envelope sender: RFC 5321 §4.4."""
    return f"Return-Path: <{sender}>\r\n".encode()
