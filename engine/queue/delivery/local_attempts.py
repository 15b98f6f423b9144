"""Attempts that need no network: each is one transaction, run in the database's thread.

They return the notices to send once they are committed (see `pending`).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from engine.mail.errors import PermanentFailure
from engine.mail.smtp_replies import TRY_LATER
from engine.queue.automatic_mail import list_bounces, list_expansion
from engine.queue.delivery import claim, outcome_recording
from engine.routing import routes
from engine.transport import local_mailboxes
from engine.transport.parcel import Outcome, OutcomeState, Parcel, answer


@transaction.atomic
def deliver_here(runner: str, parcels: Sequence[Parcel]) -> list[int]:
    """Put parcels into mailboxes: messages, statuses and trace are committed together.

    Only what is still ours is delivered, so that a runner that was thought dead and
    one that took over its work never both deliver.
    """
    mine = claim.lock(runner, _ids(parcels))
    outcomes = local_mailboxes.deliver(
        [
            local_mailboxes.Placement(
                recipient.id,
                recipient.address,
                parcel.content,
                str(parcel.sender or ""),
            )
            for parcel in parcels
            for recipient in parcel.recipients
            if recipient.id in mine
        ],
        routes.current(),
    )
    return outcome_recording.apply(mine, outcomes)


@transaction.atomic
def expand(runner: str, parcel: Parcel) -> list[int]:
    """Send a parcel on to the members of a list; both are committed together."""
    mine = claim.lock(runner, _ids([parcel]))
    if not mine:
        return []
    return outcome_recording.apply(
        mine, list_expansion.expand(parcel, next(iter(mine.values())).message)
    )


@transaction.atomic
def collect(runner: str, parcel: Parcel) -> list[int]:
    """Take in what came back to a list's bounce address."""
    mine = claim.lock(runner, _ids([parcel]))
    if not mine:
        return []
    message = next(iter(mine.values())).message
    return outcome_recording.apply(mine, list_bounces.collect(parcel, message))


def refuse(parcel: Parcel) -> list[Outcome]:
    """What to say for recipients whose address nobody has any more."""
    known = routes.current()
    outcomes = []
    for recipient in parcel.recipients:
        try:
            known.resolve(recipient.address)
        except PermanentFailure as refusal:
            outcomes.append(Outcome(recipient.id, OutcomeState.FAILED, refusal.reply))
        else:
            outcomes.append(Outcome(recipient.id, OutcomeState.DEFERRED, TRY_LATER))
    return outcomes


def put_off(parcel: Parcel) -> list[Outcome]:
    """What to say for a parcel that we could not handle: our fault is never final."""
    return answer(parcel, OutcomeState.DEFERRED, TRY_LATER)


def _ids(parcels: Sequence[Parcel]) -> list[int]:
    return [recipient.id for parcel in parcels for recipient in parcel.recipients]
