"""Scans again, content by content from the newest, and withdraws what is infected.

It leaves the scanner to arriving mail half of the time, and the lane of long jobs to
others after each slice. It goes on where it was interrupted: repeating a content changes
nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import BinaryIO

from django.db import transaction
from django.db.models import F

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.scanners.clamd import TooLargeError
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict
from engine.encryption.errors import UnreadableError
from engine.encryption.models import COMMUNITY
from engine.incidents import rescans
from engine.incidents.models import Rescan, RescanState
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.mail.mime import part_walker
from engine.queue import mailbox_withdrawals, operator_actions
from engine.queue.mailbox_withdrawals import SLICE, Cause
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.queue.notifications import service_notices
from engine.storage import content
from engine.storage.content_keys import Held, Holding
from engine.storage.models import Content, Message, WithdrawalKind, WithdrawnCopy

log = logging.getLogger(__name__)

SECONDS = 20.0  # of one job; the next waits behind the others of its lane
LOOKED_AT = 50  # contents in one query, each with up to 64 kB of body
LONGEST_PAUSE = 5.0  # seconds after one scan
PIECE = 256 * 1024  # octets
REASON = "The virus scanner found {signature} with newer signatures"
HOLDER = """\
The virus scanner has found {signature} in a message that your mailbox had received. It was
not known when the message arrived. The message has been withdrawn.

From: {sender}
Received: {at:%d %B %Y, %H:%M} UTC

If you opened a file in it, tell your IT department now: the computer may be infected.
Delete the copy of a mail program that fetched it. Questions are for the helpdesk.
"""
FOUND = """\
The re-scan has found {signature} in a delivered message, with newer signatures.

From: {sender}
Reference: {reference}
Copies withdrawn: {copies}

Their holders are notified. You get one more notice when the re-scan is done.
"""


def run(rescan_id: int) -> None:
    """Carries on with a re-scan for the time of one job; then queues the next.

    Raises ScannerUnavailable, by which the job is tried again later.
    """
    deadline = time.monotonic() + SECONDS
    while rescan := _running(rescan_id):
        rows = Content.objects.filter(pk__lt=rescan.position).order_by("-pk")
        found = list(rows[:LOOKED_AT])
        for row in found:
            if row.created_at < rescan.since:
                found = []
                break
            _look_at(rescan, row)
            if time.monotonic() > deadline:
                jobs.add(rescans.JOB, rescan_id, lane=Lane.LONG)
                return
            if _running(rescan_id) is None:
                return
        if not found:
            with transaction.atomic():
                rescans.finish(Rescan.objects.select_for_update().get(pk=rescan_id))
            return


def _running(rescan_id: int) -> Rescan | None:
    rows = Rescan.objects.filter(pk=rescan_id, state=RescanState.RUNNING)
    return rows.first()


def _look_at(rescan: Rescan, row: Content) -> None:
    """Scans one content, if a mailbox or the queue has it, and moves on."""
    holding = _holding(row)
    if holding is None:
        _advance(rescan, row)
        return
    began = time.monotonic()
    try:
        verdict = _scanned(holding)
    except TooLargeError:
        _advance(rescan, row, unreadable=1)
        return
    except ScannerUnavailable as error:
        Rescan.objects.filter(pk=rescan.pk).update(fault=error.reply.text[:300])
        raise
    except (FileNotFoundError, UnreadableError):
        # The blob was not restored, or the organisation's key was destroyed.
        _advance(rescan, row, unreadable=1)
        return
    if verdict.is_infected:
        _withdraw(rescan, row, verdict.signature)
    _advance(rescan, row, scanned=1, infected=int(verdict.is_infected))
    time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))


def _holding(row: Content) -> Holding | None:
    messages = Message.objects.filter(content=row, is_draft=False)
    message = messages.select_related("mailbox").first()
    if message is not None:
        return Held(row, message.content_holder)
    waits = Recipient.objects.filter(
        message__content=row, status=RecipientStatus.QUEUED
    )
    return Held(row, COMMUNITY) if waits.exists() else None


def _scanned(holding: Holding) -> Verdict:
    """Returns the verdict on a message and all that is inside. Raises ScannerUnavailable."""
    header = content.header(holding)
    # Opened here: the pieces are read in a thread, which must not ask the database.
    with content.open_body(holding) as body:
        verdict = message_scan.scan_pieces(_pieces(header, body))
    if verdict.is_infected:
        return verdict
    tree = part_walker.tree(header, content.body_source(holding))
    try:
        examined = policy.check_can_carry(
            tree.parts(), unopened=coverage_proof.current()
        )
    except PermanentFailure:
        # Of a kind that is refused today; it was scanned as a whole.
        return verdict
    return message_scan.scan_inner(examined.inner, verdict)


def _pieces(header: bytes, body: BinaryIO) -> Iterator[bytes]:
    yield header
    while piece := body.read(PIECE):
        yield piece


def _withdraw(rescan: Rescan, row: Content, signature: str) -> None:
    """Takes every copy of a content out of its mailbox, and holds what waits."""
    reason = REASON.format(signature=signature)[:300]
    cause = Cause(
        kind=WithdrawalKind.INFECTED, by=None, reason=reason, occasion=rescan.occasion
    )
    _hold_waiting(rescan, row, reason)
    messages = Message.objects.filter(content=row, is_draft=False).order_by("pk")
    total = 0
    while ids := list(messages.values_list("pk", flat=True)[:SLICE]):
        with transaction.atomic():
            copies = mailbox_withdrawals.withdraw_slice(ids, cause)
            for copy in copies:
                _tell_holder(copy, signature)
            Rescan.objects.filter(pk=rescan.pk).update(copies=F("copies") + len(copies))
            total += len(copies)
    first = WithdrawnCopy.objects.filter(content=row, occasion=rescan.occasion).first()
    if rescan.infected == 0 and first is not None:
        rescans.notify_operators(
            f"Found in delivered mail: {signature}",
            FOUND.format(
                signature=signature,
                sender=first.from_address or "unknown",
                reference=first.reference or "none",
                copies=total,
            ),
        )


def _hold_waiting(rescan: Rescan, row: Content, reason: str) -> None:
    waiting = Recipient.objects.filter(
        message__content=row, status=RecipientStatus.QUEUED
    ).order_by("pk")
    last = 0
    while ids := list(
        waiting.filter(pk__gt=last).values_list("pk", flat=True)[
            : operator_actions.BATCH
        ]
    ):
        last = ids[-1]
        with transaction.atomic():
            held = operator_actions.hold(ids, reason=reason, by=None)
            Recipient.objects.filter(
                pk__in=ids, status=RecipientStatus.HELD, hold=Hold.OPERATOR
            ).update(last_reply=rescan.occasion)
            Rescan.objects.filter(pk=rescan.pk).update(stopped=F("stopped") + held)


def _tell_holder(copy: WithdrawnCopy, signature: str) -> None:
    service_notices.send_notice(
        Address.parse(copy.mailbox.address),
        subject="An infected message was withdrawn from your mailbox",
        text=HOLDER.format(
            signature=signature,
            sender=copy.from_address or "a notice without a sender",
            at=copy.received_at,
        ),
    )


def _advance(rescan: Rescan, row: Content, **more: int) -> None:
    """Moves past a content and counts it, in one statement: a repeat counts once."""
    changed = {name: F(name) + number for name, number in more.items()}
    rows = Rescan.objects.filter(pk=rescan.pk, position__gt=row.pk)
    rows.update(position=row.pk, at=row.created_at, fault="", **changed)
    rescan.refresh_from_db()
