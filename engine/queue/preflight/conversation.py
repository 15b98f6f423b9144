"""Who has had part in what a mailbox wrote and received: in one message, and ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.encryption.errors import UnreadableError
from engine.mail.address import Address
from engine.mail.address_list import named_addresses
from engine.mail.header import HeaderBlock
from engine.registry.addresses.known_senders import organisations_of
from engine.registry.models import Mailbox
from engine.storage import addressees, content
from engine.storage.models import FolderRole, Message
from engine.storage.search import find, indexer
from engine.storage.search.query_parser import Clause, Query, QueryError, parse

_FIELDS = ("From", "Reply-To", "To", "Cc", "Bcc")
# Addresses that are looked for in earlier mail: each costs a search.
ASKED = 10
# Messages looked at for each; where mail is not indexed, the newest in Sent for all.
LOOKED_AT = 20
NEWEST = 100


@dataclass(frozen=True, slots=True)
class Conversation:
    """The people and organisations named in a message that is being answered.

    `people` are keys of addresses, `organisations` names.
    """

    people: frozenset[str]
    organisations: frozenset[str]


def of_answered(message_id: str, mailbox: Mailbox | None) -> Conversation | None:
    """Returns who is named in a message; None if this mailbox does not have it."""
    if not message_id or mailbox is None:
        return None
    rows = Message.objects.filter(mailbox=mailbox, message_id=message_id)
    answered = rows.select_related("content", "mailbox").first()
    if answered is None:
        return None
    try:
        header = HeaderBlock.salvage(content.header(answered))
    except UnreadableError:
        return None
    named = [
        one.address
        for name in _FIELDS
        for field in header.all(name)
        for one in named_addresses(field.value)
    ]
    named.append(Address.parse(mailbox.address))
    organisations = organisations_of(str(one) for one in named)
    return Conversation(
        frozenset(one.key for one in named), frozenset(organisations.values())
    )


def strangers(addresses: Sequence[Address], mailbox: Mailbox) -> set[str]:
    """Returns the keys of those that the mailbox neither wrote to nor had mail from.

    Looks for the first ASKED; the others are taken as known.
    """
    asked = addresses[:ASKED]
    if not asked:
        return set()
    if not mailbox.organisation.indexes_mail:
        return {one.key for one in asked} - _newest_recipients(mailbox)
    indexer.catch_up(mailbox)
    return {one.key for one in asked if not _has_corresponded(one, mailbox)}


def _has_corresponded(address: Address, mailbox: Mailbox) -> bool:
    query = Query()
    try:
        terms = [
            term
            for name in ("to", "cc", "from")
            for clause in parse(f'{name}:"{address.key}"').clauses
            for term in clause.terms
        ]
        query.clauses.append(Clause(tuple(terms)))
        query.folder = find.EVERYWHERE
        found = find.find(query, mailbox, limit=LOOKED_AT).messages
        found = [one for one in found if not one.is_draft]
    except QueryError:
        return False
    # The words of the address may be those of a longer one.
    if any(one.from_address.casefold() == address.key for one in found):
        return True
    return address.key in _recipients(found)


def _newest_recipients(mailbox: Mailbox) -> set[str]:
    sent = Message.objects.filter(mailbox=mailbox, folder__role=FolderRole.SENT)
    return _recipients(sent.order_by("-pk")[:NEWEST])


def _recipients(messages: Iterable[Message]) -> set[str]:
    return addressees.keys_of_all(messages)
