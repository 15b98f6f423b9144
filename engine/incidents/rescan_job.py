"""Scans again, content by content from the newest, and withdraws what is infected.

It leaves the scanner to arriving mail half of the time, and the lane of long jobs to
others after each slice. It goes on where it was interrupted: repeating a content changes
nothing.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
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
from engine.incidents import infected_mail, other_contents, reach, rescans
from engine.incidents.models import Rescan, RescanState
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.mail.errors import PermanentFailure
from engine.mail.mime import part_walker
from engine.queue import incident_holds
from engine.queue.models import QueuedMessage, Recipient
from engine.storage import content
from engine.storage.content_keys import Held, Holding
from engine.storage.models import Content, Message

log = logging.getLogger(__name__)

SECONDS = 20.0  # of one job; the next waits behind the others of its lane
LOOKED_AT = 50  # contents in one query, each with up to 64 kB of body
LONGEST_PAUSE = 5.0  # seconds after one scan
PIECE = 256 * 1024  # octets
# Before a content is looked at again that was being delivered when it was found infected.
PAUSE = timedelta(seconds=30)
PROOF = b"Subject: Does the scanner answer?\r\n\r\n\r\n"


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
            if not _look_at(rescan, row):
                jobs.add(rescans.JOB, rescan_id, lane=Lane.LONG, delay=PAUSE)
                return
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


def _look_at(rescan: Rescan, row: Content) -> bool:
    """Scans one content, with what lists have made of it meanwhile, and moves on.

    Returns False where it must be looked at again, because it is being delivered.
    """
    began, counted = time.monotonic(), Counter[str]()
    for one in _with_lists(rescan, row):
        found = _found(rescan, one)
        if found is None:
            return False
        counted.update(found)
    _advance(rescan, row, **counted)
    if counted:
        time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))
    return True


def _with_lists(rescan: Rescan, row: Content) -> Iterator[Content]:
    """Yields a content, then what lists have made of it since the re-scan began: it would
    not come to that."""
    yield row
    queued = QueuedMessage.objects.filter(content=row)
    for reference in list(queued.values_list("reference", flat=True)):
        _, *sent_on = reach.with_lists(reference)
        yield from Content.objects.filter(
            queued__reference__in=sent_on, pk__gt=rescan.newest
        )


def _found(rescan: Rescan, row: Content) -> dict[str, int] | None:
    """Scans a content, if a mailbox or the queue has it, and withdraws it if infected.

    Returns what it adds to the counts; None while it is being delivered.
    """
    holding = _holding(row)
    if holding is None:
        # All of it may have been withdrawn before the job was interrupted, or paused.
        if infected_mail.has_withdrawn(rescan, row):
            return {"scanned": 1, "infected": 1}
        return _found_elsewhere(rescan, row)
    try:
        # Where there is a fault, the job has been tried again for this very content.
        verdict = _scanned_again(holding) if rescan.fault else _scanned(holding)
    except (TooLargeError, FileNotFoundError, UnreadableError):
        # Or the blob was not restored, or the organisation's key was destroyed.
        verdict = None
    except ScannerUnavailable as error:
        _wait(rescan, error)
        raise
    if verdict is None:
        return {"unreadable": 1}
    if not verdict.is_infected:
        return {"scanned": 1}
    is_over = infected_mail.withdraw(rescan, row, verdict.signature)
    return {"scanned": 1, "infected": 1} if is_over else None


def _found_elsewhere(rescan: Rescan, row: Content) -> dict[str, int]:
    """Scans a content that is not mail, and has its holder close it if infected."""
    try:
        found = other_contents.scanned(row)
    except (TooLargeError, FileNotFoundError, UnreadableError):
        return {"unreadable": 1}
    except ScannerUnavailable as error:
        if rescan.fault:
            # The job has been tried again for this very content: it is passed over.
            message_scan.scan_pieces(iter([PROOF]))
            return {"unreadable": 1}
        _wait(rescan, error)
        raise
    if found is None:
        return {}
    holder, verdict = found
    if not verdict.is_infected:
        return {"scanned": 1}
    holder.close(row, signature=verdict.signature)
    return {"scanned": 1, "infected": 1}


def _wait(rescan: Rescan, error: ScannerUnavailable) -> None:
    """Notes why the re-scan waits."""
    Rescan.objects.filter(pk=rescan.pk).update(fault=error.reply.text[:300])


def _holding(row: Content) -> Holding | None:
    messages = Message.objects.filter(content=row, is_draft=False)
    message = messages.select_related("mailbox").first()
    if message is not None:
        return Held(row, message.content_holder)
    waits = Recipient.objects.filter(
        message__content=row, status__in=incident_holds.WAITING
    )
    return Held(row, COMMUNITY) if waits.exists() else None


def _scanned_again(holding: Holding) -> Verdict | None:
    """Scans what the scanner did not finish before; None where it does not now, although
    it answers before and after. Raises ScannerUnavailable."""
    message_scan.scan_pieces(iter([PROOF]))
    try:
        return _scanned(holding)
    except ScannerUnavailable as error:
        message_scan.scan_pieces(iter([PROOF]))
        log.warning("a content is passed over, since it cannot be scanned: %s", error)
        return None


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


def _advance(rescan: Rescan, row: Content, **more: int) -> None:
    """Moves past a content and counts it, in one statement: a repeat counts once."""
    changed = {name: F(name) + number for name, number in more.items()}
    rows = Rescan.objects.filter(pk=rescan.pk, position__gt=row.pk)
    rows.update(position=row.pk, at=row.created_at, fault="", **changed)
    rescan.refresh_from_db()
