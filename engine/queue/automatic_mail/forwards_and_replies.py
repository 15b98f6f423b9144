"""Sends the forwards and out-of-office replies that deliveries to mailboxes triggered.

The row of an `AutomaticMail` is deleted in the transaction that commits what it sends, so
that a crash at any moment neither loses nor doubles a message. A row that fails is
postponed and blocks no other.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta

from django.db import transaction

from engine.audit.record import record as audit
from engine.database import clock
from engine.mail.address import Address, InvalidAddressError
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure, TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.queue.automatic_mail import out_of_office_reply
from engine.queue.automatic_mail.list_expansion import LOOP_HEADER, has_passed
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Source
from engine.registry.models import Actor, Mailbox
from engine.routing import policies, routes
from engine.routing.sending_stops import check_not_stopped
from engine.storage import content
from engine.storage.models import (
    FAULT_LENGTH,
    AutomaticMail,
    AutomaticMailKind,
    Message,
)

log = logging.getLogger(__name__)

LIMIT = 100  # rows in one sweep
FIRST_PAUSE = timedelta(minutes=1)
STOPPED_PAUSE = timedelta(minutes=5)
MAX_ATTEMPTS = 10


def send_due() -> int:
    """Sends what is due and returns the number of rows tried.

    A row that fails is postponed, and set aside after MAX_ATTEMPTS.
    """
    now = clock.now()
    due = AutomaticMail.objects.filter(due_at__lte=now, set_aside_at=None)
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:LIMIT])
    for row_id in ids:
        try:
            _send(row_id, now)
        except Exception as error:
            log.exception("automatic mail %s is put off", row_id)
            _postpone(row_id, str(error) or type(error).__name__)
    return len(ids)


@transaction.atomic
def _send(row_id: int, now: datetime) -> None:
    row = _lock(row_id, now)
    if row is None:
        return
    try:
        _check_not_stopped(row.message.mailbox)
    except TemporaryFailure:
        # Its mailbox may not send for now. Not a fault: it waits without limit.
        _pause(row.message.mailbox_id)
        return
    try:
        accepted = _message_for(row)
    except TemporaryFailure:
        row.due_at = clock.now() + FIRST_PAUSE
        row.save(update_fields=["due_at"])
        return
    except (PermanentFailure, InvalidAddressError) as refusal:
        log.info("automatic mail %s has no recipient: %s", row_id, refusal)
        accepted = None
    # Deleted in the transaction that commits the message, or a crash between the two would
    # lose it or send it twice.
    row.delete()
    if accepted is not None:
        commit.commit_messages([accepted])


def _lock(row_id: int, now: datetime) -> AutomaticMail | None:
    """Returns the row, unless another process holds it, or has sent or postponed it."""
    rows = AutomaticMail.objects.select_for_update(skip_locked=True, of=("self",))
    return (
        rows.filter(pk=row_id, due_at__lte=now)
        .select_related("message__content", "message__mailbox")
        .first()
    )


def _pause(mailbox_id: int) -> None:
    """Postpones whatever a mailbox has to send, so that the sweeps are left to others."""
    rows = AutomaticMail.objects.select_for_update(skip_locked=True, of=("self",))
    waiting = rows.filter(message__mailbox_id=mailbox_id, set_aside_at=None)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    AutomaticMail.objects.filter(pk__in=ids).update(due_at=clock.now() + STOPPED_PAUSE)


def _postpone(row_id: int, fault: str) -> None:
    """Schedules another attempt; after the last, sets the row aside for operators, who
    see it in Health."""
    row = AutomaticMail.objects.filter(pk=row_id).first()
    if row is None:
        return  # another process sent it meanwhile
    row.attempts += 1
    row.fault = fault[:FAULT_LENGTH]
    now = clock.now()
    row.due_at = now + FIRST_PAUSE * 2**row.attempts
    if row.attempts >= MAX_ATTEMPTS:
        log.error("automatic mail %s is set aside", row_id)
        row.set_aside_at = now
    row.save(update_fields=["attempts", "fault", "due_at", "set_aside_at"])


@transaction.atomic
def retry_set_aside(*, by: Actor | None) -> int:
    """Makes everything that was set aside due again; returns how many rows."""
    rows = list(AutomaticMail.objects.exclude(set_aside_at=None).select_for_update())
    for row in rows:
        row.set_aside_at, row.attempts, row.due_at = None, 0, clock.now()
        audit("errand.retried", row, detail={"fault": row.fault}, by=by)
    AutomaticMail.objects.bulk_update(rows, ["set_aside_at", "attempts", "due_at"])
    return len(rows)


def _check_not_stopped(mailbox: Mailbox) -> None:
    """Raises TemporaryFailure while an operator stops what the mailbox sends."""
    check_not_stopped(
        routes.current(),
        mailbox.organisation_id,
        person_id=mailbox.owner_id,
        addresses=[Address.parse(mailbox.address)],
    )


def _message_for(row: AutomaticMail) -> AcceptedMessage | None:
    """Returns what the row sends; None for nothing.

    Raises PermanentFailure where the recipient does not exist or may not be reached, and
    TemporaryFailure where that is so for now.
    """
    if row.kind == AutomaticMailKind.ANSWER:
        return out_of_office_reply.reply_to(row.message, row.requires_tls)
    return _forward(row.message, Address.parse(row.target), row.requires_tls)


def _forward(
    message: Message, target: Address, requires_tls: bool
) -> AcceptedMessage | None:
    """Returns the same body for another mailbox; None where it has passed here before."""
    own = Address.parse(message.mailbox.address)
    header = HeaderBlock.salvage(content.header(message))
    if has_passed(header, own):
        return None
    known = routes.current()
    route = known.resolve(target)
    policies.check_can_reach(known, route, sender=own)
    marked = header.prepended(LOOP_HEADER, own.key)
    return AcceptedMessage(
        envelope=Envelope.simple(own, route.address, requires_tls=requires_tls),
        destinations=(route.destination,),
        kept=content.with_header(message, marked.to_bytes()),
        source=Source.SYSTEM,
        organisation_id=message.mailbox.organisation_id,
        person_id=message.mailbox.owner_id,
        fingerprint=_fingerprint(message, header, route.address),
        detail={"forwarded_from": str(own)},
    )


def _fingerprint(message: Message, header: HeaderBlock, target: Address) -> str:
    """Returns the same value for one message forwarded once, whichever way it came here.

    The loop mark alone stops circles but not detours: without the fingerprint, ten
    mailboxes that all forward to each other would make millions of copies of a message.
    """
    facts = (
        message.mailbox.address,
        target.key,
        header.text("Message-ID"),
        header.text("Received"),  # the top one is ours, with the reference
        message.content.body_digest,
    )
    return hashlib.sha256("\0".join(facts).encode("utf-8", "replace")).hexdigest()
