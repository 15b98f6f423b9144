"""Who wrote as a team: the header shows the team alone, the audit trail the person."""

from __future__ import annotations

from collections.abc import Iterable

from engine.audit.record import record
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.header import HeaderBlock
from engine.queue.enqueue.accepted_message import Incoming
from engine.queue.models import Source
from engine.registry.models import Mailbox, MailboxKind, Person

WRITTEN = (Source.SUBMISSION, Source.WEBMAIL, Source.API)


def note(batch: Iterable[Incoming]) -> None:
    """Record each message that a person sends from a group mailbox.

    In the caller's transaction, last: the trail is one line that all writers share.
    """
    written = [
        (incoming, {address.key for address in _senders(incoming)})
        for incoming in batch
        if incoming.person_id is not None and incoming.source in WRITTEN
    ]
    if not written:
        return
    everybody = set[str]().union(*(keys for _, keys in written))
    groups = Mailbox.objects.filter(address__in=everybody, kind=MailboxKind.GROUP)
    by_address = {mailbox.address: mailbox for mailbox in groups}
    as_a_team = [
        (incoming, by_address[key])
        for incoming, keys in written
        for key in sorted(keys & by_address.keys())
    ]
    people = Person.objects.in_bulk({one.person_id for one, _ in as_a_team})
    for incoming, mailbox in as_a_team:
        record(
            "mailbox.sent_from",
            mailbox,
            organisation_key=mailbox.organisation_id,
            detail={"reference": incoming.reference},
            by=people[incoming.person_id],
        )


def _senders(incoming: Incoming) -> Iterable[Address]:
    found = authors(HeaderBlock.salvage(incoming.kept.header))
    if incoming.envelope.sender is not None:
        found.append(incoming.envelope.sender)
    return found
