"""Sends delivery status notifications to senders (RFC 3461, RFC 3464).

A message with the null sender, which every notification has, never triggers another
(RFC 5321 §6.1). Nothing is sent to a list, or to an address that does not exist. Of a
message sent with REQUIRETLS the header alone is returned, with REQUIRETLS (RFC 8689 §5).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from django.conf import settings

from engine.encryption.errors import UnreadableError
from engine.mail import dsn
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.dsn import Action, DsnRecipient
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.smtp_replies import Reply
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
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
WAITING = Reply(451, "4.4.7", "It will be tried again")

# Nobody reads at a list's addresses, and a sender's DSN must not leave the community.
UNREAD = (
    RouteKind.LIST,
    RouteKind.BOUNCES,
    RouteKind.TLS_REPORTS,
    notice_routing.OUTSIDE,
)

Compose = Callable[[dsn.Notice, Sequence[DsnRecipient]], bytes]
Report = tuple[Recipient, DsnRecipient]


def send_outcomes(outcomes: Iterable[tuple[Recipient, Outcome]]) -> None:
    """Notifies senders of failures, and of successes where they asked for it.

    In the caller's transaction, which is not the one that recorded the outcome: see
    `pending_notices`.
    """
    failed: list[Report] = []
    succeeded: list[Report] = []
    for row, outcome in outcomes:
        if is_wanted(row, outcome):
            group = succeeded if outcome.state.is_success else failed
            group.append((row, _dsn_recipient(row, outcome)))
    _send(failed, dsn.compose_failure)
    _send(succeeded, dsn.compose_success)


def is_wanted(row: Recipient, outcome: Outcome) -> bool:
    """Returns whether the sender is notified of the outcome.

    A next hop that took over the request for notifications reports success by itself
    (RFC 3461 §5.2.1).
    """
    if not row.message.sender:
        return False
    if outcome.state.is_success:
        return row.wants("SUCCESS") and not outcome.detail.get("passes_dsn")
    return outcome.state is OutcomeState.FAILED and row.wants("FAILURE")


def send_delays(waiting: Iterable[tuple[Recipient, str]]) -> None:
    """Notifies senders of recipients still waiting, each with its last reply, in the
    caller's transaction."""
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


def _dsn_recipient(row: Recipient, outcome: Outcome) -> DsnRecipient:
    return DsnRecipient.of(
        Address.parse(row.address),
        outcome.reply,
        ACTIONS[outcome.state],
        original=row.original,
        remote_host=str(outcome.detail.get("next_hop", "")).rpartition(":")[0],
    )


def _send(reports: Iterable[Report], compose: Compose) -> None:
    """Sends one notification for each message, however many recipients it reports on."""
    by_message: defaultdict[int, list[Report]] = defaultdict(list)
    for row, recipient in reports:
        if row.message.sender:
            by_message[row.message_id].append((row, recipient))
    for group in by_message.values():
        _send_one(group[0][0].message, [recipient for _, recipient in group], compose)


def _send_one(
    message: QueuedMessage, recipients: Sequence[DsnRecipient], compose: Compose
) -> None:
    sender = Address.parse(message.sender)
    destination = _destination(sender)
    if destination is None:
        log.info("no DSN about %s: its sender cannot be notified", message.reference)
        return
    notice = _notice(message, sender)
    returns_body = message.dsn_full and not message.requires_tls
    if returns_body and compose is dsn.compose_failure:
        notice = replace(notice, body=_body(message))
    raw = compose(notice, recipients)
    accepted = AcceptedMessage(
        envelope=Envelope.simple(None, sender, requires_tls=message.requires_tls),
        destinations=(destination,),
        kept=content.keep(*split(raw)),
        source=Source.DSN,
        detail={"notice_of": message.reference},
    )
    commit.commit_messages([accepted])


def _destination(sender: Address) -> str | None:
    try:
        _, destination = notice_routing.route_notice(routes.current(), sender)
    except SuspendedRecipientError:
        # The runner resolves the destination again and holds it while suspended.
        return RouteKind.MAILBOX.value
    except PermanentFailure:
        return None
    kind = destination.partition(":")[0]
    return None if kind in UNREAD else destination


def _notice(message: QueuedMessage, sender: Address) -> dsn.Notice:
    service = settings.POSTERN
    return dsn.Notice(
        reporting_host=service.smtp_name,
        reporter=NamedAddress(
            f"{service.community_name} mail delivery",
            Address("postmaster", service.community_domain),
        ),
        sender=sender,
        header=_header(message),
        arrived_at=message.accepted_at,
        envelope_id=message.envelope_id,
    )


def _body(message: QueuedMessage) -> bytes | None:
    """Returns the body to give back; None where it is too large or cannot be read."""
    if message.content.size > dsn.MAX_RETURNED_BODY:
        return None
    try:
        return split(content.read(message))[1]
    except (UnreadableError, FileNotFoundError):
        log.exception("the body of %s cannot be read", message.reference)
        return None


def _header(message: QueuedMessage) -> bytes:
    try:
        return content.header(message)
    except UnreadableError:
        # The sender must still hear that it failed.
        log.exception("the header of %s cannot be read", message.reference)
        return b"\r\n"
