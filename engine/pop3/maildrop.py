"""The maildrop of a POP3 session: the inbox as it was at sign-in (RFC 1939 §5)."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from engine.encryption.errors import MasterKeyUnavailableError, UnreadableError
from engine.mail.address import Address
from engine.pop3 import replies
from engine.pop3.replies import Refused
from engine.registry import mailbox_openings
from engine.registry.credentials import (
    authentication,
    generated_secrets,
    scram_sign_in,
)
from engine.registry.credentials.scram_exchange import ScramExchange
from engine.registry.mailbox_openings import OpeningMethod
from engine.registry.models import Mailbox, MailboxKind, Person
from engine.storage import content, content_keys, message_actions, standard_folders
from engine.storage.content_keys import Held
from engine.storage.models import FirstUse, Message

BATCH = 500  # rows in one statement


@dataclass(frozen=True, slots=True)
class Item:
    """One message. Its id is its unique-id (UIDL), which no other message ever gets."""

    message_id: int
    size: int


@dataclass(frozen=True, slots=True)
class Maildrop:
    """The messages that STAT, LIST and UIDL show, oldest first, with sizes in octets.

    Two arrays rather than a hundred thousand objects: the garbage collector would stop
    the whole engine to look through those.
    """

    mailbox_id: int
    organisation_id: int
    folder_id: int
    ids: array[int]
    sizes: array[int]

    def __len__(self) -> int:
        return len(self.ids)

    def item(self, number: int) -> Item:
        """Returns the message of a number, from 1 on."""
        return Item(self.ids[number - 1], self.sizes[number - 1])


@dataclass(frozen=True, slots=True)
class Access:
    """A mailbox, the sign-in that opened it, and whether it may delete messages.

    `app_password` is the id of the one that was used or, where the secret was given, its
    digests under each secret key; `generation` is the person's `session_generation` at
    sign-in.
    """

    mailbox: Mailbox
    can_delete: bool
    person_id: int
    app_password: int | tuple[str, ...] = field(repr=False)
    generation: int


def find_mailbox(username: str, secret: str, *, peer: str) -> Access:
    """Returns the mailbox that an app password opens under the given address.

    That is its owner's mailbox or, under the address of a group mailbox, that one if the
    owner may read it. Raises Refused, and MailError after too many attempts.
    """
    person = authentication.authenticate_person(username, secret, peer=peer)
    if person is None:
        raise Refused(replies.WRONG)
    return _access(person, username, generated_secrets.digests(secret))


def find_mailbox_by_proof(
    exchange: ScramExchange, *, peer: str
) -> tuple[Access, bytes]:
    """Returns what `find_mailbox` does, and our signature, for the proof of SCRAM."""
    proved = scram_sign_in.authenticate_person_by_proof(exchange, peer=peer)
    if proved is None:
        raise Refused(replies.WRONG_PROOF)
    used = proved.app_password
    access = _access(used.person, exchange.username, used.pk)
    return access, proved.signature


def _access(
    person: Person, username: str, app_password: int | tuple[str, ...]
) -> Access:
    key = Address.parse(username.strip()).key
    active = Mailbox.objects.filter(is_active=True)
    if key == person.address:
        mailbox, can_delete = active.filter(owner=person).first(), True
    else:
        mailbox = active.filter(kind=MailboxKind.GROUP, address=key).first()
        can_delete = person.grants.filter(mailbox=mailbox, can_write=True).exists()
    if mailbox is None:
        raise Refused(replies.NO_MAILBOX)
    mailbox_openings.note(mailbox, by=person, method=OpeningMethod.POP3)
    return Access(
        mailbox,
        can_delete,
        person_id=person.pk,
        app_password=app_password,
        generation=person.session_generation,
    )


def is_access_valid(access: Access) -> bool:
    """Returns False once the app password, its owner or the right to the mailbox is gone."""
    if not authentication.is_app_password_valid(
        access.app_password, generation=access.generation
    ):
        return False
    own = Q(owner_id=access.person_id)
    granted = Q(grants__person_id=access.person_id, grants__can_read=True)
    return Mailbox.objects.filter(
        own | granted, pk=access.mailbox.pk, is_active=True
    ).exists()


def open_maildrop(mailbox: Mailbox) -> Maildrop:
    """Returns the messages that are in the inbox now."""
    inbox = standard_folders.inbox(mailbox)
    rows = Message.objects.filter(folder=inbox).order_by("id")
    facts = rows.values_list("id", "size", "envelope_sender")
    maildrop = Maildrop(
        mailbox.pk, mailbox.organisation_id, inbox.pk, array("Q"), array("Q")
    )
    for message_id, size, sender in facts.iterator():
        maildrop.ids.append(message_id)
        maildrop.sizes.append(size + len(return_path(sender)))
    return maildrop


def find_message(
    maildrop: Maildrop, item: Item, *, is_fetched: bool
) -> tuple[bytes, Held]:
    """Returns the header as served to clients, and the content with the body.

    `is_fetched` is whether the client gets any of the body. Raises Message.DoesNotExist when the message is gone, and as `content.header` does.
    """
    message = Message.objects.select_related("content").get(
        pk=item.message_id, mailbox_id=maildrop.mailbox_id
    )
    if is_fetched and not message_actions.note_use([message], FirstUse.FETCHED):
        raise Message.DoesNotExist
    held = Held(message.content, maildrop.organisation_id)
    return return_path(message.envelope_sender) + content.header(held), held


def read_small(maildrop: Maildrop, items: Collection[Item]) -> dict[int, bytes]:
    """Returns messages as served to clients, in memory, by id. One query, one to note
    the first use, and one for the keys of those that are encrypted.

    Those that are gone or cannot be read are not among them.
    """
    rows = Message.objects.select_related("content").filter(
        pk__in=[item.message_id for item in items], mailbox_id=maildrop.mailbox_id
    )
    held = {
        row: Held(row.content, maildrop.organisation_id)
        for row in message_actions.note_use(list(rows), FirstUse.FETCHED)
    }
    content_keys.load(held.values())
    found = {}
    for message, holding in held.items():
        with suppress(FileNotFoundError, UnreadableError, MasterKeyUnavailableError):
            own = return_path(message.envelope_sender)
            found[message.pk] = own + content.read(holding)
    return found


@transaction.atomic
def erase(maildrop: Maildrop, numbers: Collection[int]) -> None:
    """Deletes messages for good, all or none; those moved to other folders stay."""
    ids = [maildrop.item(number).message_id for number in sorted(numbers)]
    for start in range(0, len(ids), BATCH):
        rows = Message.objects.filter(
            pk__in=ids[start : start + BATCH], folder_id=maildrop.folder_id
        )
        message_actions.erase(list(rows.values_list("pk", flat=True)))


def return_path(sender: str) -> bytes:
    """Returns the field that shows the envelope sender (RFC 5321 §4.4)."""
    return f"Return-Path: <{sender}>\r\n".encode()
