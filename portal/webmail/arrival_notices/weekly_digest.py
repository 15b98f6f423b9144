"""The weekly digest for administrators: group mailboxes that nobody opened."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min
from django.template.loader import render_to_string
from django.utils import timezone

from engine import email_backend
from engine.audit.models import Entry
from engine.database import clock
from engine.email_backend import ServiceMessage
from engine.mail.address import InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.registry.models import (
    Mailbox,
    MailboxKind,
    Organisation,
    OrganisationStatus,
    Person,
    RoleName,
)
from engine.storage.models import FolderRole, MaildropLock, Message
from portal.webmail.models import UnopenedDigest

log = logging.getLogger(__name__)

PERIOD = timedelta(days=7)
# Mail that is younger does not wait yet.
PATIENCE = timedelta(days=1)
# What the audit trail records where a key reads a message.
OPENINGS = ("message.read",)
# Mail in these is read because the mailbox wrote it.
OWN = (FolderRole.SENT, FolderRole.DRAFTS)
# On Mondays, when people come to work.
HOUR = time(7)
MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class Unopened:
    """A group mailbox that nobody opened, though unread mail waits in its Inbox."""

    address: str
    count: int
    oldest: datetime


def send_due() -> int:
    """Sends this week's digests that were not sent; returns to how many organisations.

    An organisation whose group mailboxes are all opened, or empty, gets none.
    """
    week = _week()
    if week is None:
        return 0
    return sum(_send(one, week) for one in _organisations(week))


def unopened(organisation: Organisation) -> list[Unopened]:
    """Returns the group mailboxes with unread mail that nobody opened for a week.

    A mailbox is opened by a POP3 session, by a key as the audit trail records, and where
    mail of this week was read, in whichever folder it is now.
    """
    now = clock.now()
    since = now - PERIOD
    unread = Message.objects.filter(
        mailbox__organisation=organisation,
        mailbox__kind=MailboxKind.GROUP,
        mailbox__is_active=True,
        folder__role=FolderRole.INBOX,
        is_read=False,
        received_at__lt=now - PATIENCE,
    )
    rows = list(
        unread.order_by()
        .values("mailbox_id", "mailbox__address")
        .annotate(count=Count("pk"), oldest=Min("received_at"))
        .order_by("mailbox__address")
    )
    opened = _opened([row["mailbox_id"] for row in rows], since)
    return [
        Unopened(row["mailbox__address"], row["count"], row["oldest"])
        for row in rows
        if row["mailbox_id"] not in opened
    ]


def _opened(mailboxes: Sequence[int], since: datetime) -> set[int]:
    by_program = MaildropLock.objects.filter(
        mailbox__in=mailboxes, held_until__gte=since
    )
    read = Message.objects.filter(
        mailbox__in=mailboxes,
        received_at__gte=since,
        is_read=True,
    ).exclude(folder__role__in=OWN)
    entries = Entry.objects.filter(
        subject_kind=Mailbox._meta.label_lower,
        subject_key__in=list(map(str, mailboxes)),
        event__in=OPENINGS,
        at__gte=since,
    )
    return {
        *by_program.values_list("mailbox_id", flat=True),
        *read.order_by().values_list("mailbox_id", flat=True).distinct(),
        *map(int, entries.order_by().values_list("subject_key", flat=True).distinct()),
    }


def _send(organisation: Organisation, week: date) -> bool:
    """Sends the digest to each administrator, and notes that this week's is done."""
    found = unopened(organisation)
    prepared = [
        one
        for person in _readers(organisation, found)
        for one in _mail(person, organisation, found)
    ]
    with transaction.atomic():
        # Committed together, so that a process that dies has sent to all or to none.
        UnopenedDigest.objects.get_or_create(organisation=organisation)
        claim = UnopenedDigest.objects.filter(organisation=organisation).exclude(
            week__gte=week
        )
        if not claim.update(week=week):
            return False
        commit.commit_messages(prepared)
    return bool(prepared)


def _mail(
    person: Person, organisation: Organisation, found: Sequence[Unopened]
) -> list[AcceptedMessage]:
    """Returns the digest to the person's secure address; none where it is refused.

    Never to an everyday address, because the names of mailboxes say what is going on.
    """
    community_name = settings.POSTERN.community_name
    body = render_to_string(
        "webmail/email/unopened.txt",
        {
            "person": person,
            "organisation": organisation,
            "found": found[:MAX_LISTED],
            "more": len(found) - MAX_LISTED,
            "community_name": community_name,
        },
    )
    subject = f"{community_name}: group mailboxes that nobody opened"
    message = ServiceMessage(subject, body, to=[person.address])
    try:
        return email_backend.prepare(message)
    except (PermanentFailure, InvalidAddressError) as refusal:
        log.warning("no digest of group mailboxes to %s: %s", person, refusal)
        return []


def _readers(organisation: Organisation, found: Sequence[Unopened]) -> Iterator[Person]:
    if found:
        yield from Person.objects.filter(
            organisation_roles__organisation=organisation,
            organisation_roles__role=RoleName.ADMINISTRATOR,
            is_active=True,
        ).order_by("pk")


def _organisations(week: date) -> list[Organisation]:
    """Returns the organisations with group mailboxes that were not looked at this week."""
    groups = Mailbox.objects.filter(kind=MailboxKind.GROUP, is_active=True)
    done = UnopenedDigest.objects.filter(week__gte=week)
    return list(
        Organisation.objects.filter(
            pk__in=groups.order_by().values("organisation"),
            status=OrganisationStatus.ACTIVE,
        )
        .exclude(pk__in=done.values("organisation"))
        .order_by("pk")
    )


def _week() -> date | None:
    """Returns this week's Monday; None before the hour of the digest."""
    now = timezone.localtime(clock.now())
    if now.weekday() == 0 and now.time() < HOUR:
        return None
    return now.date() - timedelta(days=now.weekday())
