"""Records the outcomes of delivery attempts: status, trace, log, and notices to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from engine.database import bulk_rows, clock
from engine.mail.smtp_replies import Reply
from engine.queue import log_lines
from engine.queue.delivery import claim
from engine.queue.delivery.suspension import REPLY_LENGTH
from engine.queue.models import Recipient, RecipientStatus
from engine.queue.notifications import pending_notices, tls_report_sending
from engine.storage import mailbox_changes
from engine.trace import event_log
from engine.trace.models import Event, EventKind
from engine.transport.parcel import Cause, Outcome, OutcomeState

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
# The columns that an outcome changes.
WRITTEN = (
    "status",
    "finished_at",
    "last_reply",
    "deferral_id",
    "leased_until",
    "leased_by",
    "tls_failures",
    "tls_failing_since",
)


@transaction.atomic
def record_outcomes(runner: str, outcomes: Iterable[Outcome]) -> list[int]:
    """Records the outcomes of recipients that the runner still holds; ignores the others,
    which another runner took over.

    Returns the ids of notices to send once it is committed (see `pending_notices`).
    """
    found = list(outcomes)
    mine = claim.lock_leased(runner, [one.recipient_id for one in found])
    return apply(mine, found)


@transaction.atomic
def record_statuses_only(runner: str, outcomes: Iterable[Outcome]) -> list[int]:
    """Records successes where nothing else can be written, so that they are not repeated.

    Writes no trace and no notice; the log has the fault. A failure is queued again
    instead, because its sender must be notified.
    """
    now = clock.now()
    for outcome in outcomes:
        is_done = outcome.state.is_success
        mine = claim.leased_to(runner).filter(pk=outcome.recipient_id)
        mine.update(
            status=STATUSES[outcome.state] if is_done else RecipientStatus.QUEUED,
            finished_at=now if is_done else None,
            leased_until=None,
            leased_by="",
        )
    return []


def apply(rows: Mapping[int, Recipient], outcomes: Iterable[Outcome]) -> list[int]:
    """Records outcomes of locked recipients, in the caller's transaction.

    `rows` maps recipient ids to locked rows; outcomes of other recipients are ignored.
    Returns the ids of notices to send once it is committed.
    """
    now = clock.now()
    pairs = [
        (rows[outcome.recipient_id], outcome)
        for outcome in outcomes
        if outcome.recipient_id in rows
    ]
    _count_tls_failures(pairs, now)
    _trace(pairs, now)
    if attempts := [outcome.tls for _, outcome in pairs if outcome.tls]:
        tls_report_sending.count(attempts, now)
    for row, outcome in pairs:
        # A deferral changes no schedule: the claim wrote the next attempt before dialling.
        row.status = STATUSES[outcome.state]
        row.finished_at = now if RecipientStatus(row.status).is_final else None
        row.last_reply = str(outcome.reply)[:REPLY_LENGTH]
        row.leased_until, row.leased_by = None, ""
    bulk_rows.update(Recipient, WRITTEN, [row for row, _ in pairs])
    mailbox_changes.note_senders({row.message.reference for row, _ in pairs})
    log_lines.log_outcomes(pairs)
    return pending_notices.record_outcome_notices(pairs, now=now)


def _count_tls_failures(
    pairs: Sequence[tuple[Recipient, Outcome]], now: datetime
) -> None:
    """Counts TLS failures one after another, and since when; maintenance notifies."""
    for row, outcome in pairs:
        if outcome.cause is Cause.TLS and outcome.state is OutcomeState.DEFERRED:
            row.tls_failures += 1
            row.tls_failing_since = row.tls_failing_since or now
        else:
            row.tls_failures, row.tls_failing_since = 0, None


def _trace(pairs: Sequence[tuple[Recipient, Outcome]], now: datetime) -> None:
    """Traces the outcomes. A repeated deferral is counted on its first event, because a
    server that is down for days would otherwise fill the trace."""
    repeats = {
        row.deferral_id: _detail(row, outcome)
        for row, outcome in pairs
        if row.deferral_id and _is_repeated_deferral(row, outcome)
    }
    counted = event_log.count_repeats(repeats, at=now) if repeats else set()
    rest = [pair for pair in pairs if pair[0].deferral_id not in counted]
    events = event_log.save(_event(row, outcome) for row, outcome in rest)
    for (row, outcome), event in zip(rest, events, strict=True):
        is_deferred = outcome.state is OutcomeState.DEFERRED
        row.deferral_id = event.pk if is_deferred else None


def _is_repeated_deferral(row: Recipient, outcome: Outcome) -> bool:
    before = Reply.parse(row.last_reply) if row.last_reply else None
    # Compares codes only: many servers put an id or a time into the text.
    return (
        outcome.state is OutcomeState.DEFERRED
        and before is not None
        and (before.code, before.enhanced)
        == (outcome.reply.code, outcome.reply.enhanced)
    )


def _event(row: Recipient, outcome: Outcome) -> Event:
    return event_log.event(
        row.message.reference,
        EVENTS[outcome.state],
        row.address,
        **_detail(row, outcome),
    )


def _detail(row: Recipient, outcome: Outcome) -> dict[str, Any]:
    detail = {
        "reply": str(outcome.reply),
        "attempt": row.attempts,
        **outcome.detail,
    }
    if outcome.state is OutcomeState.DEFERRED:
        detail["next_attempt_at"] = row.next_attempt_at.isoformat(timespec="seconds")
    return detail
