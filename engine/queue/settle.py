"""What an attempt came to, written down: status, trace and notices together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from engine.mail.reply import Reply
from engine.queue import claim, lines, notices, returns, schedule
from engine.queue.models import Recipient, RecipientStatus
from engine.queue.suspension import REPLY_LENGTH
from engine.trace import record
from engine.trace.models import Event, EventKind
from engine.transport.base import Cause, Outcome, OutcomeState

STATUSES = {
    OutcomeState.DELIVERED: RecipientStatus.DELIVERED,
    OutcomeState.RELAYED: RecipientStatus.RELAYED,
    OutcomeState.EXPANDED: RecipientStatus.EXPANDED,
    OutcomeState.DEFERRED: RecipientStatus.QUEUED,
    OutcomeState.FAILED: RecipientStatus.FAILED,
}
EVENTS = {
    OutcomeState.DELIVERED: EventKind.DELIVERED,
    OutcomeState.RELAYED: EventKind.RELAYED,
    OutcomeState.EXPANDED: EventKind.EXPANDED,
    OutcomeState.DEFERRED: EventKind.DEFERRED,
    OutcomeState.FAILED: EventKind.FAILED,
}


@transaction.atomic
def settle(runner: str, outcomes: Iterable[Outcome]) -> int:
    """Settle what the runner still holds; what it lost meanwhile is another's."""
    known = list(outcomes)
    rows = claim.lock(runner, [outcome.recipient_id for outcome in known])
    apply(rows, known)
    return len(rows)


def apply(rows: Mapping[int, Recipient], outcomes: Iterable[Outcome]) -> None:
    """Settle locked recipients, in the caller's transaction. Others are left alone."""
    now = timezone.now()
    settled = [
        (
            rows[outcome.recipient_id],
            _given_up(rows[outcome.recipient_id], outcome, now),
        )
        for outcome in outcomes
        if outcome.recipient_id in rows
    ]
    for row, outcome in settled:
        row.status = STATUSES[outcome.state]
        row.finished_at = now if RecipientStatus(row.status).is_final else None
        row.last_reply = str(outcome.reply)[:REPLY_LENGTH]
        row.leased_until, row.leased_by = None, ""
    Recipient.objects.bulk_update(
        [row for row, _ in settled],
        [
            "status",
            "finished_at",
            "last_reply",
            "leased_until",
            "leased_by",
            "tls_failures",
            "tls_failing_since",
        ],
    )
    record.events(_event(row, outcome) for row, outcome in settled)
    lines.settled(settled)
    notices.tell(settled)
    returns.note(settled)


def _given_up(row: Recipient, outcome: Outcome, now: datetime) -> Outcome:
    """The outcome, made final where TLS has failed for long enough."""
    if outcome.cause is not Cause.TLS or outcome.state is not OutcomeState.DEFERRED:
        row.tls_failures, row.tls_failing_since = 0, None
        return outcome
    row.tls_failures += 1
    row.tls_failing_since = row.tls_failing_since or now
    if not schedule.gives_up_on_tls(row.tls_failures, row.tls_failing_since, now):
        return outcome
    return Outcome(
        outcome.recipient_id,
        OutcomeState.FAILED,
        made_final(outcome.reply),
        outcome.detail,
        outcome.cause,
    )


def made_final(reply: Reply) -> Reply:
    """A temporary refusal as the permanent one that it has become."""
    return Reply(554, f"5{reply.enhanced[1:] or '.0.0'}", reply.text)


def _event(row: Recipient, outcome: Outcome) -> Event:
    detail = {
        "reply": str(outcome.reply),
        "attempt": row.attempts,
        **outcome.detail,
    }
    if outcome.state is OutcomeState.DEFERRED:
        detail["next_attempt_at"] = row.next_attempt_at.isoformat(timespec="seconds")
    return record.event(
        row.message.reference, EVENTS[outcome.state], row.address, **detail
    )
