"""Decides who may download a file: its author, and those who have its message.

Who got the message is what its trace says, also of the lists that sent it on: so it is as
it was at the time of sending, and there is no second record of it. Deny by default.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from engine.incidents import reach, withdrawn
from engine.linked_files.models import LinkedFile
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import MailError
from engine.routing import routes
from engine.trace.models import Event, EventKind

# Events that every recall leaves, where anything was delivered.
RECALL = (EventKind.RECALLED, EventKind.NOT_RECALLED)
TAKEN_OUT_OR_BACK = (EventKind.WITHDRAWN, EventKind.PUT_BACK)


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
    if file.author.pk in mailbox_ids:
        return Reader(file.reference)
    if not file.is_sent or is_recalled(file):
        return None
    references = _references(file)
    closed = withdrawn.among(references)
    if file.reference in closed:
        return None
    events = Event.objects.filter(
        reference__in=[one for one in references if one not in closed],
        kind__in=(EventKind.DELIVERED, *TAKEN_OUT_OR_BACK),
        detail__mailbox__in=list(mailbox_ids),
    )
    delivered: dict[int | None, Event] = {}
    states: dict[int | None, str] = {}
    for event in events.order_by("pk"):
        copy = event.detail.get("message")
        states[copy] = event.kind
        if event.kind == EventKind.DELIVERED:
            delivered[copy] = event
    open_to = [
        event
        for copy, event in delivered.items()
        if not copy or states[copy] != EventKind.WITHDRAWN
    ]
    found = open_to[-1] if open_to else None
    return Reader(found.reference, found.recipient) if found else None


def by_address(file: LinkedFile, typed: str) -> Reader | None:
    """Returns the recipient for an address elsewhere, or None where it got no file.

    Only an address whose own server took the message: people with a mailbox here sign in.
    It may be written in either form. While the message is withdrawn, or any copy of it, no
    server's people open the file, because theirs cannot be withdrawn.
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
    if found is None or withdrawn.among(references) or _withdrawn_copies(references):
        return None
    return Reader(found.reference, found.recipient)


def _withdrawn_copies(references: Collection[str]) -> set[int]:
    """Returns the copies that are withdrawn, by the trace, which outlives them."""
    rows = Event.objects.filter(reference__in=references, kind__in=TAKEN_OUT_OR_BACK)
    latest = rows.order_by("pk").values_list("detail__message", "kind")
    kinds = dict(latest)
    return {pk for pk, kind in kinds.items() if pk and kind == EventKind.WITHDRAWN}


def is_recalled(file: LinkedFile) -> bool:
    """Whether the author recalled the message, which closes its links for everybody."""
    return Event.objects.filter(reference=file.reference, kind__in=RECALL).exists()


def _references(file: LinkedFile) -> list[str]:
    return list(reach.with_lists(file.reference))
