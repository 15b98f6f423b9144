"""Word to senders about their mail, by delivery status notification.

A message without a sender, which is what a notice is, never begets another. Nor does
one from a list, or from an address that nobody has: there is nobody to tell.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from django.conf import settings

from engine.mail import dsn
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.dsn import Action, DsnRecipient
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.smtp_replies import Reply
from engine.queue.enqueue import commit
from engine.queue.models import QueuedMessage, Recipient, Source
from engine.queue.notifications import notice_routing
from engine.routing import routes
from engine.routing.refusals import SuspendedRecipientError
from engine.routing.routes import RouteKind
from engine.storage import content
from engine.transport.parcel import Outcome, OutcomeState

log = logging.getLogger(__name__)

ACTIONS = {
    OutcomeState.DELIVERED: Action.DELIVERED,
    OutcomeState.RELAYED: Action.RELAYED,
    OutcomeState.EXPANDED: Action.EXPANDED,
    OutcomeState.FAILED: Action.FAILED,
}
WAITING = Reply(451, "4.4.7", "It is waiting to be tried again")

# Nobody reads there, or the community would have to be left.
UNTOLD = (RouteKind.LIST, RouteKind.BOUNCES, notice_routing.OUTSIDE)

Compose = Callable[[dsn.Notice, Sequence[DsnRecipient]], bytes]
Said = tuple[Recipient, DsnRecipient]


def tell(settled: Iterable[tuple[Recipient, Outcome]]) -> None:
    """Tell senders of failures, and of successes where they asked.

    In the caller's transaction, which is not the outcome's: see `pending`.
    """
    failed: list[Said] = []
    succeeded: list[Said] = []
    for row, outcome in settled:
        if is_due(row, outcome):
            about = succeeded if outcome.state.is_success else failed
            about.append((row, _said(row, outcome)))
    _send(failed, dsn.compose_failure)
    _send(succeeded, dsn.compose_success)


def is_due(row: Recipient, outcome: Outcome) -> bool:
    """Whether the sender hears of the outcome.

    A next hop that took over the request for notices reports by itself (RFC 3461 §5.2.1).
    """
    if not row.message.sender:
        return False
    if outcome.state.is_success:
        return row.wants("SUCCESS") and not outcome.detail.get("passes_dsn")
    return outcome.state is OutcomeState.FAILED and row.wants("FAILURE")


def tell_of_delay(waiting: Iterable[tuple[Recipient, str]]) -> None:
    """Tell senders what still waits and what was answered last, in the caller's
    transaction."""
    delayed = [
        (
            row,
            DsnRecipient(
                row.address,
                Action.DELAYED,
                WAITING.enhanced,
                reply,
                row.original,
                retry_until=row.message.expires_at,
            ),
        )
        for row, reply in waiting
    ]
    _send(delayed, dsn.compose_delay)


def _said(row: Recipient, outcome: Outcome) -> DsnRecipient:
    return DsnRecipient.of(
        Address.parse(row.address),
        outcome.reply,
        ACTIONS[outcome.state],
        original=row.original,
        remote_host=str(outcome.detail.get("next_hop", "")).rpartition(":")[0],
    )


def _send(said: Iterable[Said], compose: Compose) -> None:
    """One notice for each message, however many of its recipients it is about."""
    together: defaultdict[int, list[Said]] = defaultdict(list)
    for row, recipient in said:
        if row.message.sender:
            together[row.message_id].append((row, recipient))
    for group in together.values():
        _send_one(group[0][0].message, [recipient for _, recipient in group], compose)


def _send_one(
    message: QueuedMessage, recipients: Sequence[DsnRecipient], compose: Compose
) -> None:
    sender = Address.parse(message.sender)
    destination = _destination(sender)
    if destination is None:
        log.info("nobody to tell about %s", message.reference)
        return
    raw = compose(_notice(message, sender), recipients)
    incoming = commit.Incoming(
        envelope=Envelope.simple(None, sender),
        destinations=(destination,),
        kept=content.keep(*split(raw)),
        source=Source.DSN,
        detail={"notice_of": message.reference},
    )
    commit.commit([incoming])


def _destination(sender: Address) -> str | None:
    try:
        _, destination = notice_routing.of_notice(routes.current(), sender)
    except SuspendedRecipientError:
        # Held by the runner, which looks up the destination again, until it resumes.
        return RouteKind.MAILBOX.value
    except PermanentFailure:
        return None
    kind = destination.partition(":")[0]
    return None if kind in UNTOLD else destination


def _notice(message: QueuedMessage, sender: Address) -> dsn.Notice:
    posting = settings.POSTERN
    return dsn.Notice(
        reporting_host=posting.smtp_name,
        reporter=NamedAddress(
            f"{posting.community_name} mail delivery",
            Address("postmaster", posting.community_domain),
        ),
        sender=sender,
        header=bytes(message.content.header),
        arrived_at=message.accepted_at,
        envelope_id=message.envelope_id,
    )
