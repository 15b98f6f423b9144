"""Writes the log's lines for what the queue did, once it is committed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from django.db import transaction

from engine import clock, journal
from engine.mail.envelope import Envelope
from engine.mail.smtp_replies import Reply
from engine.queue.enqueue.accepted_message import MAILBOX, Incoming
from engine.queue.enqueue.immediate_delivery import Place
from engine.queue.models import Recipient, Source
from engine.transport.local_mailboxes import DELIVERED
from engine.transport.parcel import Outcome, OutcomeState

EVENTS = {
    OutcomeState.DELIVERED: "delivered",
    OutcomeState.RELAYED: "delivered",
    OutcomeState.EXPANDED: "delivered",
    OutcomeState.DEFERRED: "deferred",
    OutcomeState.FAILED: "returned",
}


def accepted(batch: Sequence[Incoming], served: Iterable[Place]) -> None:
    """Lines for messages accepted in the caller's transaction, and for those of their
    recipients (`served`: message and recipient by number) that it delivered."""
    here: defaultdict[int, list[str]] = defaultdict(list)
    for at, number in sorted(served):
        here[at].append(str(batch[at].envelope.recipients[number].address))
    for at, incoming in enumerate(batch):
        transaction.on_commit(partial(_accepted, incoming, here[at]), robust=True)


def _accepted(incoming: Incoming, here: Sequence[str]) -> None:
    said = {
        "reference": incoming.reference,
        "source": str(incoming.source),
        "sender": incoming.sender,
    }
    addresses = [str(address) for address in incoming.envelope.addresses]
    journal.accepted(**said, recipients=addresses, size=incoming.kept.size)
    if here:
        journal.settled(
            "delivered",
            **said,
            recipients=here,
            destination=MAILBOX,
            reply=str(DELIVERED),
            seconds=0.0,
        )


def settled(outcomes: Iterable[tuple[Recipient, Outcome]]) -> None:
    """Lines for the outcomes of attempts, written in the caller's transaction: one for
    all recipients of a message who share theirs."""
    together: defaultdict[tuple[int, str, str, str], list[tuple[Recipient, Outcome]]]
    together = defaultdict(list)
    for row, outcome in outcomes:
        event, said = EVENTS[outcome.state], str(outcome.reply)
        together[row.message_id, row.destination, event, said].append((row, outcome))
    for (_, _, event, _), group in together.items():
        transaction.on_commit(partial(_settled, event, group), robust=True)


def _settled(event: str, group: Sequence[tuple[Recipient, Outcome]]) -> None:
    row, outcome = group[0]
    message = row.message
    more = {}
    if "next_hop" in outcome.detail:
        more["next_hop"] = outcome.detail["next_hop"]
    if event == "deferred":
        more["next_attempt_at"] = row.next_attempt_at.isoformat(timespec="seconds")
    journal.settled(
        event,
        reference=message.reference,
        source=message.source,
        sender=message.sender,
        recipients=[row.address for row, _ in group],
        destination=row.destination,
        reply=str(outcome.reply),
        seconds=clock.held() - message.accepted_at.timestamp(),
        attempt=row.attempts,
        **more,
    )


def refused(
    reply: Reply, envelope: Envelope, source: Source, *, organisation_id: int | None
) -> None:
    """The line for a message that webmail, the API or the service itself could not send."""
    journal.count_refusal(str(source), reply)
    journal.refused(
        reference="",
        source=str(source),
        sender=str(envelope.sender or ""),
        recipients=[str(address) for address in envelope.addresses],
        reply=reply,
        organisation_id=organisation_id,
    )
