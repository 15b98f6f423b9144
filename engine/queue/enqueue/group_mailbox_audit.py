"""Audits mail sent from a group mailbox: the header names the team, the trail the person."""

from __future__ import annotations

from collections.abc import Iterable

from engine.audit.record import record
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.header import HeaderBlock
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Source
from engine.registry.models import Mailbox, MailboxKind, Person

# Sources by which a person writes; the rest is the service's own or already written mail.
WRITTEN = (Source.SUBMISSION, Source.WEBMAIL, Source.API)


def record_group_senders(batch: Iterable[AcceptedMessage]) -> None:
    """Records each message that a person sends from a group mailbox.

    Call it last in the caller's transaction: entries are hash-chained, so from here on
    every other writer of the audit trail waits for the commit.
    """
    written = [
        (accepted, {address.key for address in _senders(accepted)})
        for accepted in batch
        if accepted.person_id is not None and accepted.source in WRITTEN
    ]
    if not written:
        return
    addresses = set[str]().union(*(keys for _, keys in written))
    groups = Mailbox.objects.filter(address__in=addresses, kind=MailboxKind.GROUP)
    by_address = {mailbox.address: mailbox for mailbox in groups}
    from_groups = [
        (accepted, by_address[key])
        for accepted, keys in written
        for key in sorted(keys & by_address.keys())
    ]
    people = Person.objects.in_bulk({one.person_id for one, _ in from_groups})
    for accepted, mailbox in from_groups:
        record(
            "mailbox.sent_from",
            mailbox,
            organisation_key=mailbox.organisation_id,
            detail={"reference": accepted.reference},
            by=people[accepted.person_id],
        )


def _senders(accepted: AcceptedMessage) -> Iterable[Address]:
    found = authors(HeaderBlock.salvage(accepted.kept.header))
    if accepted.envelope.sender is not None:
        found.append(accepted.envelope.sender)
    return found
