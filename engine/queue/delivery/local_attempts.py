"""Delivery attempts that need no network: each is one transaction in a database thread.

They return the ids of notices to send once the transaction is committed (see
`pending_notices`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from engine.database import clock
from engine.mail.errors import PermanentFailure
from engine.mail.role_addresses import is_role
from engine.mail.smtp_replies import OK, TRY_LATER, Reply
from engine.queue.automatic_mail import list_bounces, list_expansion
from engine.queue.delivery import claim, outcome_recording
from engine.routing import routes
from engine.storage import content
from engine.tls_reports import incoming
from engine.transport import local_mailboxes
from engine.transport.parcel import Cause, Outcome, OutcomeState, Parcel, answer

REPORT_NOTED = OK.saying("Noted for the operators of the service")


@transaction.atomic
def deliver_to_mailboxes(runner: str, parcels: Sequence[Parcel]) -> list[int]:
    """Delivers parcels to mailboxes: messages, statuses and trace commit together.

    Only recipients that are still leased to the runner are delivered, so that a runner
    presumed dead and the one that took over its work never both deliver.
    """
    mine = claim.lock_leased(runner, _ids(parcels))
    outcomes = local_mailboxes.deliver(
        [
            local_mailboxes.Placement(
                recipient.id,
                recipient.address,
                parcel.content,
                str(parcel.sender or ""),
                reference=parcel.reference,
                requires_tls=parcel.requires_tls,
            )
            for parcel in parcels
            for recipient in parcel.recipients
            if recipient.id in mine
        ],
        routes.current(),
    )
    return outcome_recording.apply(mine, outcomes)


@transaction.atomic
def expand_list(runner: str, parcel: Parcel) -> list[int]:
    """Expands a distribution list; the members' message commits with the outcome."""
    mine = claim.lock_leased(runner, _ids([parcel]))
    if not mine:
        return []
    message = next(iter(mine.values())).message
    return outcome_recording.apply(mine, list_expansion.expand(parcel, message))


@transaction.atomic
def expand_role(runner: str, parcel: Parcel) -> list[int]:
    """Sends a message to postmaster@ or abuse@ on to the organisation's administrators."""
    mine = claim.lock_leased(runner, _ids([parcel]))
    if not mine:
        return []
    message = next(iter(mine.values())).message
    return outcome_recording.apply(mine, list_expansion.expand_role(parcel, message))


@transaction.atomic
def pass_on_refused_role(
    runner: str, parcel: Parcel, refusals: Sequence[Outcome]
) -> list[int]:
    """Sends mail to postmaster@ and abuse@ that a server refused on to administrators.

    Where no mail reaches them either, the refusals are recorded instead.
    """
    mine = claim.lock_leased(runner, _ids([parcel]))
    if not mine:
        return []
    message = next(iter(mine.values())).message
    outcomes = list_expansion.expand_role(parcel, message)
    if any(one.state is OutcomeState.FAILED for one in outcomes):
        return outcome_recording.apply(mine, refusals)
    replies = {one.recipient_id: str(one.reply) for one in refusals}
    return outcome_recording.apply(
        mine,
        [
            replace(one, detail=one.detail | {"refused": replies[one.recipient_id]})
            for one in outcomes
        ],
    )


def refused_roles(parcel: Parcel, outcomes: Sequence[Outcome]) -> Parcel | None:
    """Returns the part of a parcel for postmaster@ and abuse@ that a server has not.

    What it refuses for another reason, such as its size, it would refuse the
    administrators too: the sender hears of that.
    """
    refused = {
        outcome.recipient_id
        for outcome in outcomes
        if outcome.state is OutcomeState.FAILED
        and outcome.cause is Cause.REPLY
        and _says_unknown(outcome.reply)
    }
    recipients = tuple(
        one for one in parcel.recipients if one.id in refused and is_role(one.address)
    )
    return replace(parcel, recipients=recipients) if recipients else None


def _says_unknown(reply: Reply) -> bool:
    """Whether a server refuses for the mailbox: RFC 3463 §3.2, RFC 5321 §4.2.3."""
    if reply.enhanced:
        return reply.enhanced in ("5.1.1", "5.1.6", "5.1.10", "5.2.1")
    return reply.code in (550, 551, 553)


@transaction.atomic
def collect_bounce(runner: str, parcel: Parcel) -> list[int]:
    """Records a bounce that came back to a list's bounce address."""
    mine = claim.lock_leased(runner, _ids([parcel]))
    if not mine:
        return []
    message = next(iter(mine.values())).message
    return outcome_recording.apply(mine, list_bounces.collect(parcel, message))


@transaction.atomic
def collect_tls_report(runner: str, parcel: Parcel) -> list[int]:
    """Keeps a TLS report; report and outcome commit together, so it is kept once."""
    mine = claim.lock_leased(runner, _ids([parcel]))
    if not mine:
        return []
    message = next(iter(mine.values())).message
    try:
        incoming.check_size(message.content.size)
        incoming.take(
            content.read(message),
            organisation_id=message.organisation_id or 0,
            sender=message.sender,
            now=clock.now(),
        )
    except PermanentFailure as refusal:
        failed = answer(parcel, OutcomeState.FAILED, refusal.reply)
        return outcome_recording.apply(mine, failed)
    noted = answer(parcel, OutcomeState.DELIVERED, REPORT_NOTED)
    return outcome_recording.apply(mine, noted)


def refuse_unknown(parcel: Parcel) -> list[Outcome]:
    """Returns the outcomes for recipients whose address no longer exists."""
    known = routes.current()
    outcomes = []
    for recipient in parcel.recipients:
        try:
            known.resolve(recipient.address)
        except PermanentFailure as refusal:
            outcomes.append(Outcome(recipient.id, OutcomeState.FAILED, refusal.reply))
        else:
            # The address exists again; the next claim looks up where it leads now.
            outcomes.append(Outcome(recipient.id, OutcomeState.DEFERRED, TRY_LATER))
    return outcomes


def defer(parcel: Parcel) -> list[Outcome]:
    """Returns deferrals for a parcel that we failed to handle: our fault is never final."""
    return answer(parcel, OutcomeState.DEFERRED, TRY_LATER)


def _ids(parcels: Sequence[Parcel]) -> list[int]:
    return [recipient.id for parcel in parcels for recipient in parcel.recipients]
