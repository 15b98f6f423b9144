"""Sends the notices that are due, each once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import F, Q, QuerySet

from engine import email_backend
from engine.database import clock
from engine.mail.address import InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue import commit
from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.registry.permissions import Permission
from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.access import AccessibleMailboxes
from portal.webmail.arrival_notices import choice, emails
from portal.webmail.arrival_notices.emails import NewMail
from portal.webmail.models import ArrivalNotice, Period
from portal.webmail.models.arrival_notice import SPACING

log = logging.getLogger(__name__)

# Notices in one run of the job, and the seconds after which it starts no other. What is
# left is due a minute later.
LIMIT = 500
RUN_SECONDS = 20
# Where mail arrives, by itself or by a rule.
FOLDERS = (FolderRole.INBOX, FolderRole.CUSTOM)


def send_due() -> int:
    """Sends each notice that is due; returns how many.

    One that cannot be sent is dropped with a line in the log, and the next new mail makes
    another. Raises TemporaryFailure while nothing can be sent at all.
    """
    ends_at = time.monotonic() + RUN_SECONDS
    sent = 0
    for notice in _due()[:LIMIT]:
        if time.monotonic() > ends_at:
            break
        try:
            sent += _send(notice)
        except (PermanentFailure, InvalidAddressError) as refusal:
            log.warning("no notice of new mail to %s: %s", notice.person, refusal)
            _claim(notice)
    return sent


def _due() -> QuerySet[ArrivalNotice]:
    now = clock.now()
    spaced = (
        Q(period=period, sent_at__lte=now - spacing)
        for period, spacing in SPACING.items()
    )
    waiting = ArrivalNotice.objects.filter(
        reduce(or_, spaced, Q(sent_at=None)), arrived_to__gt=F("announced_to")
    ).exclude(period=Period.NEVER)
    longest = F("sent_at").asc(nulls_first=True)
    return waiting.select_related("person__organisation").order_by(longest, "pk")


def _send(notice: ArrivalNotice) -> bool:
    found = list(_new_mail(notice)) if _may_be_notified(notice) else []
    if not found:
        _claim(notice)
        return False
    # Scanned here: the transaction below must not wait for a scanner.
    prepared = email_backend.prepare(emails.arrival(notice, found))
    with transaction.atomic():
        # The claim and the message commit together, so that a process that dies has
        # done both or neither.
        if not _claim(notice, sent=True):
            return False
        commit.commit_messages(prepared)
    return True


def _claim(notice: ArrivalNotice, *, sent: bool = False) -> bool:
    """Passes the mail that was looked at. Of two processes one wins."""
    changes = {"sent_at": clock.now()} if sent else {}
    rows = ArrivalNotice.objects.filter(
        pk=notice.pk, announced_to=notice.announced_to, sent_at=notice.sent_at
    )
    return bool(rows.update(announced_to=notice.arrived_to, **changes))


def _may_be_notified(notice: ArrivalNotice) -> bool:
    person = notice.person
    if not notice.is_proved or person.is_mail_shut:
        return False
    if Permission.USE_MAIL not in permissions.held_by(person):
        return False
    try:
        choice.check_can_be_notified(person)
    except PolicyError:
        return False
    return True


def _new_mail(notice: ArrivalNotice) -> Iterator[NewMail]:
    """Yields the mailboxes with new mail that the person may read now."""
    since = dict(notice.noticed.values_list("mailbox_id", "since"))
    for access in AccessibleMailboxes(notice.person).readable:
        if access.mailbox.pk in since:
            after = max(since[access.mailbox.pk], notice.announced_to)
            count = _count(access.mailbox, after, notice.arrived_to)
            if count:
                yield NewMail(access.mailbox, count)


def _count(mailbox: Mailbox, after: int, last: int) -> int:
    # By folder, which has an index by id.
    folders = Folder.objects.filter(mailbox=mailbox, role__in=FOLDERS).values("pk")
    return Message.objects.filter(
        folder__in=folders, pk__gt=after, pk__lte=last, is_read=False
    ).count()
