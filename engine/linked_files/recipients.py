"""Decides who may download a file: its author, and those who have its message.

Who got the message is what its trace says, also of the lists that sent it on: so it is as
it was at the time of sending, and there is no second record of it. Deny by default.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from engine.incidents import reach
from engine.linked_files.models import LinkedFile
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import MailError
from engine.routing import routes
from engine.storage.models import WithdrawnCopy
from engine.trace.models import Event, EventKind

# Events that every recall leaves, where anything was delivered.
RECALL = (EventKind.RECALLED, EventKind.NOT_RECALLED)


@dataclass(frozen=True, slots=True)
class Reader:
    """The recipient for which a file is opened, and the delivery that says so.

    `reference` is the message's, or that under which a list sent it on. The author has no
    recipient.
    """

    reference: str
    recipient: str = ""

    @property
    def is_author(self) -> bool:
        """Whether the file is opened by those who sent it."""
        return not self.recipient


def by_mailboxes(file: LinkedFile, mailbox_ids: Collection[int]) -> Reader | None:
    """Returns the recipient among these mailboxes, or None where none got the file.

    A copy that was withdrawn from its mailbox opens nothing.
    """
    if file.mailbox_id in mailbox_ids:
        return Reader(file.reference)
    if not file.is_sent or is_recalled(file):
        return None
    delivered = Event.objects.filter(
        reference__in=_references(file),
        kind=EventKind.DELIVERED,
        detail__mailbox__in=list(mailbox_ids),
    )
    copies = {one.detail.get("message"): one for one in delivered.order_by("-pk")}
    gone = WithdrawnCopy.objects.filter(pk__in=[pk for pk in copies if pk])
    for pk in gone.values_list("pk", flat=True):
        del copies[pk]
    found = next(iter(copies.values()), None)
    return Reader(found.reference, found.recipient) if found else None


def by_address(file: LinkedFile, typed: str) -> Reader | None:
    """Returns the recipient for an address elsewhere, or None where it got no file.

    Only an address whose own server took the message: people with a mailbox here sign in.
    It may be written in either form. While an operator has copies of the message withdrawn,
    no server's people open the file, because theirs cannot be withdrawn.
    """
    if not file.is_sent or is_recalled(file):
        return None
    try:
        # Also of an address that was proved before: its organisation may be suspended since.
        route = routes.current().resolve(Address.parse(typed.strip()))
    except (InvalidAddressError, MailError):
        return None
    references = _references(file)
    relayed = Event.objects.filter(
        reference__in=references,
        kind=EventKind.RELAYED,
        recipient__iexact=str(route.address),
    )
    found = relayed.order_by("pk").first()
    if found is None or WithdrawnCopy.objects.filter(reference__in=references).exists():
        return None
    return Reader(found.reference, found.recipient)


def is_recalled(file: LinkedFile) -> bool:
    """Whether the author recalled the message, which closes its links for everybody."""
    return Event.objects.filter(reference=file.reference, kind__in=RECALL).exists()


def _references(file: LinkedFile) -> list[str]:
    return list(reach.with_lists(file.reference))
