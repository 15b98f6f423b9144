"""Who wrote as a team: the header shows the team alone, the audit trail the person."""

from __future__ import annotations

from collections.abc import Iterable

from engine.audit.record import record
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.header import HeaderBlock
from engine.queue.incoming import Incoming
from engine.queue.models import Source
from engine.registry.models import Mailbox, MailboxKind, Person

WRITTEN = (Source.SUBMISSION, Source.WEBMAIL, Source.API)


def note(batch: Iterable[Incoming]) -> None:
    """Record each message that a person sends from a group mailbox.

    In the caller's transaction, last: the trail is one line that all writers share.
    """
    for incoming in batch:
        if incoming.person_id is not None and incoming.source in WRITTEN:
            _note(incoming, incoming.person_id)


def _note(incoming: Incoming, person_id: int) -> None:
    keys = {address.key for address in _senders(incoming)}
    for mailbox in Mailbox.objects.filter(address__in=keys, kind=MailboxKind.GROUP):
        record(
            "mailbox.sent_from",
            mailbox,
            organisation_key=mailbox.organisation_id,
            detail={"reference": incoming.reference},
            by=Person.objects.get(pk=person_id),
        )


def _senders(incoming: Incoming) -> Iterable[Address]:
    found = authors(HeaderBlock.salvage(incoming.kept.header))
    if incoming.envelope.sender is not None:
        found.append(incoming.envelope.sender)
    return found
