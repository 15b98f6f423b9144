"""Commits accepted messages: once the transaction ends, delivery or a DSN is our duty."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from django.db import connection, transaction

from engine.database import advisory_locks, bulk_rows, clock, statements
from engine.mail.address import Address
from engine.queue.enqueue import insertion
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.queue.sending_rates import rate_limits
from engine.routing import routes

# How long a resend of the same bytes to the same recipients counts as the same message.
# Must exceed the time over which jobs retry (`engine.jobs.queue`), because jobs send
# under a fingerprint and rely on the second copy being recognised.
RESEND_WINDOW = timedelta(hours=36)

# Recipients in these states did not receive the message, so a resend serves them again.
UNDELIVERED = (RecipientStatus.FAILED, RecipientStatus.DROPPED)


EARLIER = f"""
    SELECT message.fingerprint, message.reference, recipient.address, recipient.status
    FROM {QueuedMessage._meta.db_table} AS message
    JOIN {Recipient._meta.db_table} AS recipient ON recipient.message_id = message.id
    WHERE message.fingerprint {{among_given}} AND message.accepted_at > %s
    ORDER BY message.id
"""  # noqa: S608


@dataclass(slots=True)
class EarlierCopy:
    """The message that was accepted before under the same fingerprint."""

    reference: str = ""
    served: set[str] = field(default_factory=set)
    """Address keys of the recipients who have it, or will without a resend."""


def commit_messages(batch: Sequence[AcceptedMessage]) -> list[str]:
    """Commits messages in one transaction and returns their references.

    When this returns, everything is on disk. A resend gets the reference of the message
    that it repeats, and is queued only for recipients that the first did not reach.
    """
    references = commit_batch(batch)[0]
    if any(accepted.source in rate_limits.COUNTED for accepted in batch):
        # Web processes have no loop that shares their counts every second.
        transaction.on_commit(rate_limits.meter.share, robust=True)
    return references


@transaction.atomic
def commit_batch(batch: Sequence[AcceptedMessage]) -> tuple[list[str], bool]:
    """Commits messages; also returns whether the runner has something left to deliver."""
    known = _earlier_copies(batch)
    fresh: list[AcceptedMessage] = []
    references = []
    for accepted in batch:
        fingerprint = accepted.fingerprint
        earlier = known[fingerprint] if fingerprint else EarlierCopy()
        unserved = _without(accepted, earlier.served)
        if unserved.envelope.recipients or not earlier.reference:
            fresh.append(unserved)
            earlier.reference = unserved.reference
            # Updates `known`, so that a duplicate later in this batch is recognised too.
            earlier.served.update(a.key for a in unserved.envelope.addresses)
        references.append(earlier.reference)
    if any(accepted.source in rate_limits.COUNTED for accepted in fresh):
        count = partial(rate_limits.count_accepted, routes.current(), fresh)
        transaction.on_commit(count, robust=True)
    return references, bool(fresh) and insertion.insert(fresh)


def _earlier_copies(
    batch: Sequence[AcceptedMessage],
) -> defaultdict[str, EarlierCopy]:
    known: defaultdict[str, EarlierCopy] = defaultdict(EarlierCopy)
    fingerprints = [one.fingerprint for one in batch if one.fingerprint]
    if not fingerprints:
        return known
    # Two processes that accept one message at the same moment would both find no earlier
    # copy and both insert. The lock makes the second look only after the first commits.
    advisory_locks.hold(*(f"accept {fingerprint}" for fingerprint in fingerprints))
    since = connection.ops.adapt_datetimefield_value(
        clock.estimated_now() - RESEND_WINDOW
    )
    sql = EARLIER.format(among_given=bulk_rows.AMONG[connection.vendor])
    for fingerprint, reference, address, status in statements.fetch(
        sql, [bulk_rows.members(fingerprints), since]
    ):
        known[fingerprint].reference = reference
        if status not in UNDELIVERED:
            known[fingerprint].served.add(Address.parse(address).key)
    return known


def _without(accepted: AcceptedMessage, served: set[str]) -> AcceptedMessage:
    """Returns the message for the recipients whose keys are not in `served`."""
    if not served:
        return accepted
    unserved = [
        (recipient, destination)
        for recipient, destination in zip(
            accepted.envelope.recipients, accepted.destinations, strict=True
        )
        if recipient.address.key not in served
    ]
    recipients = tuple(recipient for recipient, _ in unserved)
    return replace(
        accepted,
        envelope=replace(accepted.envelope, recipients=recipients),
        destinations=tuple(destination for _, destination in unserved),
    )
