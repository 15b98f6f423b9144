"""Writes the queue's lines of the message log, once the transaction is committed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from django.db import transaction

from engine.database import clock
from engine.mail.envelope import Envelope
from engine.mail.smtp_replies import Reply
from engine.observability import message_log
from engine.queue.enqueue.accepted_message import MAILBOX, AcceptedMessage
from engine.queue.enqueue.immediate_delivery import Position
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


def log_accepted(batch: Sequence[AcceptedMessage], served: Iterable[Position]) -> None:
    """Logs the messages that the caller's transaction accepts, and the recipients
    (`served`) to whose mailboxes it delivers."""
    by_message: defaultdict[int, list[str]] = defaultdict(list)
    for at, number in sorted(served):
        address = batch[at].envelope.recipients[number].address
        by_message[at].append(str(address))
    for at, accepted in enumerate(batch):
        write = partial(_log_accepted, accepted, by_message[at])
        # Robust: a fault in logging must not fail a commit that has happened.
        transaction.on_commit(write, robust=True)


def _log_accepted(accepted: AcceptedMessage, delivered: Sequence[str]) -> None:
    facts = {
        "reference": accepted.reference,
        "source": str(accepted.source),
        "sender": accepted.sender,
    }
    addresses = [str(address) for address in accepted.envelope.addresses]
    message_log.accepted(**facts, recipients=addresses, size=accepted.kept.size)
    if delivered:
        message_log.delivery_attempt(
            "delivered",
            **facts,
            recipients=delivered,
            destination=MAILBOX,
            reply=str(DELIVERED),
            seconds=0.0,
        )


def log_outcomes(outcomes: Iterable[tuple[Recipient, Outcome]]) -> None:
    """Logs the outcomes that the caller's transaction records.

    One line serves all recipients of a message that share an outcome, so that a message
    to a list of thousands does not write thousands.
    """
    groups: defaultdict[tuple[int, str, str, str], list[tuple[Recipient, Outcome]]]
    groups = defaultdict(list)
    for row, outcome in outcomes:
        event, reply = EVENTS[outcome.state], str(outcome.reply)
        groups[row.message_id, row.destination, event, reply].append((row, outcome))
    for (_, _, event, _), group in groups.items():
        transaction.on_commit(partial(_log_outcome, event, group), robust=True)


def _log_outcome(event: str, group: Sequence[tuple[Recipient, Outcome]]) -> None:
    row, outcome = group[0]
    message = row.message
    more = {}
    if "next_hop" in outcome.detail:
        more["next_hop"] = outcome.detail["next_hop"]
    if event == "deferred":
        more["next_attempt_at"] = row.next_attempt_at.isoformat(timespec="seconds")
    message_log.delivery_attempt(
        event,
        reference=message.reference,
        source=message.source,
        sender=message.sender,
        recipients=[row.address for row, _ in group],
        destination=row.destination,
        reply=str(outcome.reply),
        seconds=clock.estimated_timestamp() - message.accepted_at.timestamp(),
        attempt=row.attempts,
        **more,
    )


def log_refusal(
    reply: Reply,
    envelope: Envelope,
    source: Source,
    *,
    reference: str,
    organisation_id: int | None,
) -> None:
    """Logs and counts a message that webmail, the API or the service could not send."""
    message_log.count_refusal(str(source), reply)
    message_log.refused(
        reference=reference,
        source=str(source),
        sender=str(envelope.sender or ""),
        recipients=[str(address) for address in envelope.addresses],
        reply=reply,
        organisation_id=organisation_id,
    )
