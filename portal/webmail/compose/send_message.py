"""Sends a composed message and keeps a copy in Sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from engine.database import clock
from engine.linked_files import sending
from engine.linked_files.models import LinkedFile
from engine.mail.composer import Attachment, Picture
from engine.queue.enqueue import mailbox_submission
from engine.queue.enqueue.mailbox_submission import PreparedMessage, Recipients
from engine.queue.models import Source
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.organising import answers, reminders
from portal.webmail.access import MailboxAccess
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_lock import lock_drafts
from portal.webmail.drafts.draft_store import SentAlreadyError
from portal.webmail.drafts.options import tagged
from portal.webmail.linked_files import lines
from portal.webmail.models import ScheduledSend
from portal.webmail.organising import collision
from portal.webmail.organising.reminders import DAYS
from portal.webmail.rendering import written_html


class FilesChangedError(Exception):
    """A file that the message links to was removed, or another added, meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "The files that are sent as links changed meanwhile, so nothing was sent. "
            "Check them, and send the message again."
        )


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message ready to be sent, and where its draft is saved."""

    draft: Draft
    recipients: Recipients
    sender: Mailbox
    drafts: Mailbox | None
    """The mailbox that holds the draft; None for people without one, who cannot undo."""
    wait: timedelta = timedelta(0)
    send_at: datetime | None = None
    """When it leaves; None for as soon as it cannot be undone any more."""
    extra_attachments: Sequence[Attachment] = ()
    """Attachments that were never stored with the draft."""
    linked: Sequence[LinkedFile] = ()
    """Files that are sent as links."""

    def message(self, date: datetime | None, *, links_until: datetime) -> bytes:
        """Returns the raw message as its recipients get it, without a Bcc field.

        `date` is when it leaves, None for now.
        """
        stored, pictures = self._files()
        options = self.draft.options
        subject = tagged(self.draft.subject, options.classification)
        draft = lines.with_lines(self.draft, self.linked, links_until)
        return replace(draft, subject=subject).to_message(
            self.sender,
            to=self.recipients.to,
            cc=self.recipients.cc,
            attachments=[*stored, *self.extra_attachments],
            pictures=pictures,
            date=date,
        )

    def _files(self) -> tuple[list[Attachment], list[Picture]]:
        if self.drafts is None:
            return [], []
        shown = written_html.content_ids(self.draft.html)
        return attachments.load(
            self.drafts, self.draft.token, is_rich=bool(self.draft.html), shown=shown
        )

    def leaves_at(self) -> datetime | None:
        """Returns when it leaves; None for now. Without a draft nothing can wait."""
        if self.drafts is None:
            return None
        if self.send_at is not None:
            return self.send_at
        return clock.now() + self.wait if self.wait else None

    def has_others(self) -> bool:
        """Whether the draft has files that are not sent: added by another request."""
        if self.drafts is None:
            return False
        rows = LinkedFile.objects.of_draft(self.drafts, self.draft.token)
        return rows.exclude(pk__in=[one.pk for one in self.linked]).exists()

    @property
    def fingerprint(self) -> str:
        """Identifies the draft and its mailbox, so that no two windows send it twice."""
        text = f"webmail {self.sender.pk} {self.draft.token}"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was accepted."""

    scheduled: ScheduledSend
    no_reminder: str
    """Why its author is not reminded though they asked for that; empty otherwise."""


def send(outgoing: OutgoingMessage, *, by: Person) -> Sent:
    """Accepts the message, stores a copy in Sent, deletes the draft and makes the reminder.

    All or nothing, but a reminder that is one too many does not stop the message.

    Raises MailError with the sentence to show, SentAlreadyError and FilesChangedError. The
    virus scan may take seconds, so it runs before the transaction and holds no lock.
    """
    leaves_at = outgoing.leaves_at()
    links_until = sending.expiry(leaves_at or clock.now())
    prepared = mailbox_submission.prepare(
        outgoing.message(leaves_at, links_until=links_until),
        sender=outgoing.sender,
        recipients=outgoing.recipients,
        source=Source.WEBMAIL,
        by=by,
        fingerprint=outgoing.fingerprint,
        release_at=leaves_at,
        address=outgoing.draft.address_of(outgoing.sender),
    )
    return _commit(outgoing, prepared, links_until=links_until, by=by)


@transaction.atomic
def _commit(
    outgoing: OutgoingMessage,
    prepared: PreparedMessage,
    *,
    links_until: datetime,
    by: Person,
) -> Sent:
    lock_drafts(outgoing.sender)
    if draft_store.is_sent(outgoing.draft, sender=outgoing.sender):
        raise SentAlreadyError
    sent = mailbox_submission.commit(prepared)
    # Before the draft is deleted, with the files that it still has.
    marked = sending.mark_sent(
        [one.pk for one in outgoing.linked],
        reference=sent.reference,
        expires_at=links_until,
        sender=outgoing.sender,
    )
    if marked != len(outgoing.linked) or outgoing.has_others():
        raise FilesChangedError
    if outgoing.drafts is not None:
        draft_store.delete(outgoing.draft, mailbox=outgoing.drafts)
    scheduled = ScheduledSend.objects.create(
        # A message sent again after an undo is a repeat to the queue, without a copy.
        message=sent.copy or mailbox_submission.store_copy(prepared, sent.reference),
        person=by,
        reference=sent.reference,
        leaves_at=prepared.incoming.release_at or clock.now(),
    )
    return Sent(scheduled, _remind(scheduled, days=outgoing.draft.follow_up))


def _remind(scheduled: ScheduledSend, *, days: int) -> str:
    """Has the author reminded as the draft says; returns why not, empty where all is well."""
    if days not in DAYS:
        return ""
    try:
        reminders.follow_up(
            scheduled.message,
            days=days,
            by=scheduled.person,
            leaves_at=scheduled.leaves_at,
        )
    except PolicyError as refusal:
        return str(refusal)
    return ""


@transaction.atomic
def mark_answered(draft: Draft, *, access: MailboxAccess, sent: ScheduledSend) -> None:
    """Marks the message that the draft answers as answered; in a group mailbox, by whose
    message."""
    if not draft.in_reply_to:
        return
    answered = Message.objects.filter(
        mailbox=access.mailbox, message_id=draft.in_reply_to
    ).exclude(folder__role=FolderRole.SENT)
    for message in answered[:10]:
        message_actions.mark_answered(message)
        if access.is_group:
            answers.note_answer(message, reference=sent.reference, by=sent.person)
    collision.end(access, draft.in_reply_to, by=sent.person)
