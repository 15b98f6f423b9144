"""Withdraws what a re-scan finds infected, and notifies holders, senders and operators."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import F, QuerySet

from engine.incidents import rescans, withdrawn
from engine.incidents.models import Rescan
from engine.mail.address import Address
from engine.queue import incident_holds, mailbox_withdrawals
from engine.queue.mailbox_withdrawals import SLICE, Cause
from engine.queue.models import QueuedMessage, Recipient
from engine.queue.notifications import service_notices
from engine.storage.models import Content, Message, WithdrawalKind, WithdrawnCopy
from engine.trace.models import Event, EventKind

REASON = "The virus scanner found {signature} with newer signatures"
HOLDER = """\
The virus scanner has found {signature} in a message that your mailbox had received. It was
not known when the message arrived. The message has been withdrawn.

From: {sender}
Received: {at:%d %B %Y, %H:%M} UTC

If you opened a file in it, tell your IT department now: the computer may be infected.
Delete the copy of a mail program that fetched it. Questions are for the helpdesk.
"""
SENDER = """\
The virus scanner has found {signature} in a message that your mailbox sent. It was not
known when you sent it. Your own copy has been withdrawn, and so have the recipients’ copies
in mailboxes of this service.

To: {to}
Sent: {at:%d %B %Y, %H:%M} UTC

Tell your IT department now: the computer that the file came from may be infected. If you
did not send this message, choose another password. Warn recipients elsewhere. Questions are
for the helpdesk.
"""
FOUND = """\
The re-scan has found {signature} in a delivered message, with newer signatures.

From: {sender}
Reference: {reference}
Copies withdrawn so far: {copies}

Their holders are notified. You get one more notice when the re-scan is done.
"""


def withdraw(rescan: Rescan, row: Content, signature: str) -> bool:
    """Takes every copy of a content out of its mailbox, and holds what waits.

    Returns False while one is being delivered, which is there to be taken out later.
    """
    withdrawn.note(_references(row), rescan.occasion)
    recipients = Recipient.objects.filter(message__content=row)
    _hold_waiting(rescan, recipients, signature)
    # Before its copies are looked for: what has been delivered by now is among them.
    is_over = not incident_holds.is_on_its_way(recipients)
    _withdraw_copies(rescan, row, signature)
    return is_over


def _references(row: Content) -> set[str]:
    queued = QueuedMessage.objects.filter(content=row)
    stored = Message.objects.filter(content=row, is_draft=False)
    found = {*queued.values_list("reference", flat=True)[:1000]}
    return found | {*stored.values_list("reference", flat=True)[:1000]} - {""}


def has_withdrawn(rescan: Rescan, row: Content) -> bool:
    """Whether the re-scan has withdrawn copies of a content."""
    copies = WithdrawnCopy.objects.filter(content=row, occasion=rescan.occasion)
    return copies.exists()


def _withdraw_copies(rescan: Rescan, row: Content, signature: str) -> None:
    cause = Cause(
        kind=WithdrawalKind.INFECTED,
        by=None,
        reason=_reason(signature),
        occasion=rescan.occasion,
    )
    messages = Message.objects.filter(content=row, is_draft=False)
    ids = messages.order_by("pk").values_list("pk", flat=True)
    while some := list(ids[:SLICE]):
        with transaction.atomic():
            copies = mailbox_withdrawals.withdraw_slice(some, cause)
            for copy in copies:
                _tell_holder(copy, signature)
            Rescan.objects.filter(pk=rescan.pk).update(copies=F("copies") + len(copies))
            rescan.refresh_from_db()
            if copies and rescan.copies == len(copies):
                _tell_operators(copies, signature)


def _reason(signature: str) -> str:
    return REASON.format(signature=signature)[:300]


def _tell_operators(copies: Collection[WithdrawnCopy], signature: str) -> None:
    """Notifies the operators of the first copies that are withdrawn."""
    first = next(iter(copies))
    rescans.notify_operators(
        f"Found in delivered mail: {signature}",
        FOUND.format(
            signature=signature,
            sender=first.from_address or "unknown",
            reference=first.reference or "none",
            copies=len(copies),
        ),
    )


def _hold_waiting(
    rescan: Rescan, recipients: QuerySet[Recipient], signature: str
) -> None:
    is_more = True
    while is_more:
        with transaction.atomic():
            held = incident_holds.hold_slice(
                recipients, rescan.occasion, reason=_reason(signature), by=None
            )
            Rescan.objects.filter(pk=rescan.pk).update(stopped=F("stopped") + held)
        is_more = held > 0


def _tell_holder(copy: WithdrawnCopy, signature: str) -> None:
    if _was_sent(copy):
        service_notices.send_notice(
            Address.parse(copy.mailbox.address),
            subject="A message that you sent is infected, and was withdrawn",
            text=SENDER.format(
                signature=signature,
                to=copy.to_summary or "unknown",
                at=copy.received_at,
            ),
        )
        return
    service_notices.send_notice(
        Address.parse(copy.mailbox.address),
        subject="An infected message was withdrawn from your mailbox",
        text=HOLDER.format(
            signature=signature,
            sender=copy.from_address or "a notice without a sender",
            at=copy.received_at,
        ),
    )


def _was_sent(copy: WithdrawnCopy) -> bool:
    """Whether its mailbox sent it: no delivery brought it, and neither has a notice a
    sender."""
    if copy.envelope_sender or not copy.reference:
        return False
    brought = Event.objects.filter(
        reference=copy.reference,
        kind=EventKind.DELIVERED,
        detail__message=copy.pk,
    )
    return not brought.exists()
