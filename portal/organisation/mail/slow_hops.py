"""Which servers took the longest to take an organisation's latest mail."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.database import clock
from engine.database.id_in import IdIn
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Organisation
from engine.routing import routes
from portal.organisation.mail import trace_visibility
from portal.organisation.mail.trace_query import newest_of

MESSAGES = 500  # the latest that are looked at, sent and received each
RECIPIENTS = 3000
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Hop:
    """The next server for a domain, and how long it took messages to be taken there."""

    domain: str
    is_own: bool
    taken: int
    typical: str
    slowest: str
    waiting: int


@dataclass(slots=True)
class _Seen:
    seconds: list[float] = field(default_factory=list)
    waiting: int = 0


def slowest(organisation: Organisation) -> list[Hop]:
    """Returns the slowest servers of the latest messages, the slowest first.

    Mailboxes kept here are no hop: mail is in them when it is accepted.
    """
    known, now = routes.current(), clock.now()
    own = known.domains.names_of(organisation.pk)
    seen: defaultdict[tuple[str, bool], _Seen] = defaultdict(_Seen)
    for (
        address,
        status,
        accepted,
        finished,
        source,
        sender,
        sent_by,
    ) in _recipients(organisation):
        domain = address.rpartition("@")[2]
        is_own = domain in own
        if (
            not is_own
            and trace_visibility.sender_of(source, sender, sent_by, known)
            != organisation.pk
        ):
            continue
        hop = seen[domain, is_own]
        hop.seconds.append(((finished or now) - accepted).total_seconds())
        hop.waiting += status == RecipientStatus.QUEUED
    order = sorted(
        seen.items(), key=lambda item: statistics.median(item[1].seconds), reverse=True
    )
    return [_hop(domain, is_own, one) for (domain, is_own), one in order[:SHOWN]]


def _recipients(organisation: Organisation) -> Iterable[Any]:
    own = organisation.pk
    sent = QueuedMessage.objects.exclude(source=Source.LIST)
    sent = newest_of(sent, "organisation_id", own, "pk", None)
    received = newest_of(
        Recipient.objects.all(), "received_by_id", own, "message", None
    )
    ids = [
        *sent.values_list("pk", flat=True)[:MESSAGES],
        *received.values_list("message", flat=True)[:MESSAGES],
    ]
    rows = Recipient.objects.filter(
        IdIn("message_id", ids),
        status__in=(RecipientStatus.RELAYED, RecipientStatus.QUEUED),
        destination__startswith="connection:",
    )
    return rows.order_by("-pk").values_list(
        "address",
        "status",
        "message__accepted_at",
        "finished_at",
        "message__source",
        "message__sender",
        "message__organisation_id",
    )[:RECIPIENTS]


def _hop(domain: str, is_own: bool, seen: _Seen) -> Hop:
    return Hop(
        domain=domain,
        is_own=is_own,
        taken=len(seen.seconds) - seen.waiting,
        typical=_in_words(statistics.median(seen.seconds)),
        slowest=_in_words(max(seen.seconds)),
        waiting=seen.waiting,
    )


def _in_words(seconds: float) -> str:
    """Returns a duration in its largest fitting unit."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            number = round(seconds / length)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    if seconds < 1:
        return "under a second"
    return f"{round(seconds)} second{'' if round(seconds) == 1 else 's'}"
