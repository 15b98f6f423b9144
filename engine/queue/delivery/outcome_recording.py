"""What an attempt came to, written down: status, trace and the notices to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from engine import clock
from engine.mail.smtp_replies import Reply
from engine.queue import log_lines, retry_schedule
from engine.queue.delivery import claim, due_recipients
from engine.queue.delivery.suspension import REPLY_LENGTH
from engine.queue.models import Recipient, RecipientStatus
from engine.queue.notifications import pending_notices
from engine.rows import UPDATED_AT_ONCE
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


@transaction.atomic
def settle(runner: str, outcomes: Iterable[Outcome]) -> list[int]:
    """Settle what the runner still holds; what it lost meanwhile is another's.

    Returns the notices to send once it is committed: see `pending`.
    """
    known = list(outcomes)
    return apply(claim.lock(runner, [one.recipient_id for one in known]), known)


@transaction.atomic
def settle_states(runner: str, outcomes: Iterable[Outcome]) -> list[int]:
    """Where nothing else can be written: at least what is done, so that it stays done.

    No trace and no notice; the log says why. So what failed is tried again: its sender
    must hear of it.
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
    """Settle locked recipients, in the caller's transaction. Others are left alone.

    Returns the notices to send once that is committed.
    """
    now = clock.now()
    settled = [
        (rows[outcome.recipient_id], outcome)
        for outcome in outcomes
        if outcome.recipient_id in rows
    ]
    hopeless = _given_up(settled, now)
    settled = [(row, hopeless.get(row.pk, outcome)) for row, outcome in settled]
    _trace(settled, now)
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
            "deferral_id",
            "leased_until",
            "leased_by",
            "tls_failures",
            "tls_failing_since",
        ],
        batch_size=UPDATED_AT_ONCE,
    )
    log_lines.settled(settled)
    return pending_notices.note(settled, now=now)


def _given_up(
    settled: Sequence[tuple[Recipient, Outcome]], now: datetime
) -> dict[int, Outcome]:
    """Counts failures of TLS; the outcomes to make final, where it has failed for long.

    Not where the destination took mail meanwhile: the fault is this engine's.
    """
    found = []
    for row, outcome in settled:
        if outcome.cause is not Cause.TLS or outcome.state is not OutcomeState.DEFERRED:
            row.tls_failures, row.tls_failing_since = 0, None
            continue
        row.tls_failures += 1
        row.tls_failing_since = row.tls_failing_since or now
        if retry_schedule.gives_up_on_tls(row.tls_failures, row.tls_failing_since, now):
            found.append((row, outcome))
    since = now - retry_schedule.TLS_PATIENCE
    served = due_recipients.served_since(since, {row.destination for row, _ in found})
    return {
        row.pk: replace(
            outcome, state=OutcomeState.FAILED, reply=made_final(outcome.reply)
        )
        for row, outcome in found
        if row.destination not in served
    }


def made_final(reply: Reply) -> Reply:
    """A temporary refusal as the permanent one that it has become."""
    return Reply(554, f"5{reply.enhanced[1:] or '.0.0'}", reply.text)


def _trace(settled: Sequence[tuple[Recipient, Outcome]], now: datetime) -> None:
    """Write down what happened. The same deferral again is counted, not written again:
    a server that is down for days would otherwise fill the trace."""
    again = {
        row.deferral_id: _detail(row, outcome)
        for row, outcome in settled
        if row.deferral_id and _is_the_same_again(row, outcome)
    }
    counted = event_log.repeat(again, at=now) if again else set()
    rest = [pair for pair in settled if pair[0].deferral_id not in counted]
    events = event_log.events(_event(row, outcome) for row, outcome in rest)
    for (row, outcome), event in zip(rest, events, strict=True):
        is_deferred = outcome.state is OutcomeState.DEFERRED
        row.deferral_id = event.pk if is_deferred else None


def _is_the_same_again(row: Recipient, outcome: Outcome) -> bool:
    """Codes are compared alone: texts often name the attempt."""
    before = Reply.parse(row.last_reply) if row.last_reply else None
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
