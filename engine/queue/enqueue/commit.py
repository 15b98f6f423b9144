"""Accepting messages: from here on they are ours to deliver or to report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from django.db import transaction

from engine import clock, locks
from engine.mail.address import Address
from engine.queue.enqueue import insertion
from engine.queue.enqueue.accepted_message import Incoming, new_reference
from engine.queue.models import Recipient, RecipientStatus
from engine.queue.sending_rates import rate_limits
from engine.routing import routes

__all__ = ["Incoming", "commit", "commit_batch", "new_reference"]

# How long a resend of the same bytes to the same people counts as the same message.
# Longer than jobs try again (`engine.jobs.queue`), which send under a fingerprint.
RESEND_WINDOW = timedelta(hours=36)

LOST = (RecipientStatus.FAILED, RecipientStatus.DROPPED)


@dataclass(slots=True)
class Earlier:
    """What was accepted before under one fingerprint."""

    reference: str = ""
    taken: set[str] = field(default_factory=set)
    """The recipients, by key, who have it, or will without a resend."""


def commit(batch: Sequence[Incoming]) -> list[str]:
    """Commit messages in one transaction and return their references.

    When this returns, all of it is on the disk. A resend gets the reference of the
    message that it repeats, and is kept again only for those whom that did not reach.
    """
    references = commit_batch(batch)[0]
    if any(incoming.source in rate_limits.COUNTED for incoming in batch):
        # These come from processes that do not share their counts each second.
        transaction.on_commit(rate_limits.meter.share, robust=True)
    return references


@transaction.atomic
def commit_batch(batch: Sequence[Incoming]) -> tuple[list[str], bool]:
    """The same, and whether something is left for the runner to deliver."""
    known = _earlier(batch)
    fresh: list[Incoming] = []
    references = []
    for incoming in batch:
        earlier = known[incoming.fingerprint] if incoming.fingerprint else Earlier()
        left = _without(incoming, earlier.taken)
        if left.envelope.recipients or not earlier.reference:
            fresh.append(left)
            earlier.reference = left.reference
            earlier.taken.update(address.key for address in left.envelope.addresses)
        references.append(earlier.reference)
    if any(incoming.source in rate_limits.COUNTED for incoming in fresh):
        count = partial(rate_limits.note_accepted, routes.current(), fresh)
        transaction.on_commit(count, robust=True)
    return references, bool(fresh) and insertion.insert(fresh)


def _earlier(batch: Sequence[Incoming]) -> defaultdict[str, Earlier]:
    known: defaultdict[str, Earlier] = defaultdict(Earlier)
    fingerprints = [i.fingerprint for i in batch if i.fingerprint]
    if not fingerprints:
        return known
    # Two processes that accept one message at the same moment would both find nothing.
    # The second looks when the first has committed.
    locks.hold(*(f"accept {fingerprint}" for fingerprint in fingerprints))
    rows = Recipient.objects.filter(
        message__fingerprint__in=fingerprints,
        message__accepted_at__gt=clock.now() - RESEND_WINDOW,
    ).values_list("message__fingerprint", "message__reference", "address", "status")
    for fingerprint, reference, address, status in rows.order_by("message_id"):
        known[fingerprint].reference = reference
        if status not in LOST:
            known[fingerprint].taken.add(Address.parse(address).key)
    return known


def _without(incoming: Incoming, taken: set[str]) -> Incoming:
    """The message for those only who are not among the keys."""
    if not taken:
        return incoming
    left = [
        (recipient, destination)
        for recipient, destination in zip(
            incoming.envelope.recipients, incoming.destinations, strict=True
        )
        if recipient.address.key not in taken
    ]
    envelope = replace(incoming.envelope, recipients=tuple(one for one, _ in left))
    return replace(incoming, envelope=envelope, destinations=tuple(d for _, d in left))
