"""The addresses that a person may choose in From: of mailboxes, some with a detail.

Mail to `name+detail` arrives in the mailbox of `name` (RFC 5233), and may be answered from
there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.registry.models import Mailbox
from engine.routing import routes
from portal.webmail.access import MailboxAccess
from portal.webmail.drafts.draft import address_with, sender_key
from portal.webmail.rendering.parsed_message import ParsedMessage


@dataclass(frozen=True, slots=True)
class SenderChoice:
    """A mailbox, and the detail in the address that is written from; empty for none."""

    mailbox: Mailbox
    detail: str = ""

    @property
    def key(self) -> str:
        """Identifies the choice in the form and in a draft."""
        return sender_key(self.mailbox, self.detail)

    @property
    def address(self) -> Address:
        """The address in From. Raises InvalidAddressError for a detail that fits in none."""
        return address_with(self.mailbox, self.detail)

    @property
    def label(self) -> str:
        """The name and the address, as From has them."""
        return f"{self.mailbox.name} <{self.address}>"


def find(key: str, senders: Sequence[MailboxAccess]) -> SenderChoice | None:
    """Returns the choice with a key; None where the person may not send from it."""
    mailbox_id, _, detail = key.partition("+")
    for access in senders:
        if str(access.mailbox.pk) == mailbox_id:
            choice = SenderChoice(access.mailbox, detail)
            return choice if not detail or _is_offered(choice) else None
    return None


def answering(parsed: ParsedMessage, mailbox: Mailbox) -> SenderChoice:
    """Returns what a message in a mailbox is answered from: the address that it names.

    The mailbox's own where that is among its recipients, or none is, as from a list.
    """
    own = Address.parse(mailbox.address).key
    if any(one.address.key == own for one in _named(parsed, "To", "Cc")):
        return SenderChoice(mailbox)
    return _first_with_detail(parsed, ("From", "To", "Cc"), mailbox)


def written_from(parsed: ParsedMessage, mailbox: Mailbox) -> SenderChoice:
    """Returns what a message of a mailbox was written from."""
    return _first_with_detail(parsed, ("From",), mailbox)


def own_keys(parsed: ParsedMessage, mailboxes: Collection[Mailbox]) -> frozenset[str]:
    """Returns the keys of the mailboxes' addresses, and of those with a detail that a
    message names."""
    ids = {mailbox.pk for mailbox in mailboxes}
    own = {Address.parse(mailbox.address).key for mailbox in mailboxes}
    fields = ("From", "Reply-To", "To", "Cc")
    named = (one.address for one in _named(parsed, *fields))
    return frozenset(own | {one.key for one in named if _mailbox_id(one) in ids})


def _first_with_detail(
    parsed: ParsedMessage, fields: tuple[str, ...], mailbox: Mailbox
) -> SenderChoice:
    for named in _named(parsed, *fields):
        if _mailbox_id(named.address) == mailbox.pk:
            return SenderChoice(mailbox, named.address.local.partition("+")[2])
    return SenderChoice(mailbox)


def _named(parsed: ParsedMessage, *fields: str) -> Iterator[NamedAddress]:
    for name in fields:
        yield from parsed.all_addresses(name)


def _is_offered(choice: SenderChoice) -> bool:
    with suppress(InvalidAddressError):
        return _mailbox_id(choice.address) == choice.mailbox.pk
    return False


def _mailbox_id(address: Address) -> int | None:
    """Returns the mailbox that an address with a detail arrives in; None for another."""
    if "+" not in address.local:
        return None
    known = routes.current()
    try:
        return known.mailbox_of_detail(known.domains.to_community(address))
    except InvalidAddressError:
        return None
