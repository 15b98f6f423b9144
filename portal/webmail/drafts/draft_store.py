"""Keeping what somebody is writing."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.db import transaction

from engine.registry.models import Mailbox
from engine.storage import content, message_actions
from engine.storage.mailbox_delivery import folder
from engine.storage.models import FolderRole, Message
from portal.webmail.drafts import attachments
from portal.webmail.drafts.draft import Draft, read_draft
from portal.webmail.drafts.draft_lock import take_turn
from portal.webmail.models import DraftFile


class ChangedElsewhereError(Exception):
    """Another window saved, sent or deleted the draft since this one read it."""


def find(mailbox: Mailbox, token: UUID) -> Draft | None:
    """The draft as it was last kept in the mailbox, if it was."""
    kept = _kept(mailbox, Draft(token=token))
    return read_draft(token, content.read(kept.content), kept.pk) if kept else None


@transaction.atomic
def save(draft: Draft, *, mailbox: Mailbox, sender: Mailbox) -> Draft:
    """Keep the draft in the mailbox's Drafts, in place of what was kept before.

    Returns it with its new version.
    """
    drafts = take_turn(mailbox)
    _forget(mailbox, draft)
    row = message_actions.append(
        drafts, draft.as_draft(sender), is_read=True, is_draft=True
    )
    mark_files(draft.token, mailbox=mailbox)
    return replace(draft, version=row.pk)


def mark_files(token: UUID, *, mailbox: Mailbox) -> None:
    """Have the list of drafts show whether this one carries files."""
    has_files = DraftFile.objects.of(mailbox, token).exists()
    Message.objects.filter(
        mailbox=mailbox,
        folder__role=FolderRole.DRAFTS,
        message_id=Draft(token=token).message_id,
    ).update(has_attachments=has_files)


@transaction.atomic
def save_over(
    draft: Draft, *, version: int | None, mailbox: Mailbox, sender: Mailbox
) -> Draft:
    """Save, but only over the version that was read: None for one never kept.

    Raises ChangedElsewhereError where another window was quicker.
    """
    take_turn(mailbox)
    kept = _kept(mailbox, draft)
    if (kept.pk if kept else None) != version:
        raise ChangedElsewhereError
    return save(draft, mailbox=mailbox, sender=sender)


@transaction.atomic
def discard(draft: Draft, *, mailbox: Mailbox) -> None:
    """Forget what was kept of the draft, and its files."""
    _forget(mailbox, draft)
    attachments.remove_all(mailbox, draft.token)


@transaction.atomic
def throw_away(draft: Draft, *, mailbox: Mailbox) -> Message | None:
    """Move what was kept of the draft to Deleted, whence it can be fetched back.

    Returns it; None where nothing was kept, and then its files are forgotten.
    """
    take_turn(mailbox)
    kept = _kept(mailbox, draft)
    if kept is None:
        attachments.remove_all(mailbox, draft.token)
    else:
        message_actions.move([kept], folder(mailbox, FolderRole.TRASH))
    return kept


@transaction.atomic
def fetch_back(message: Message) -> None:
    """Put a draft that was thrown away back among the drafts of its mailbox."""
    drafts = take_turn(message.mailbox)
    others = Message.objects.filter(folder=drafts, message_id=message.message_id)
    if not others.exists():
        message_actions.move([message], drafts)


def _forget(mailbox: Mailbox, draft: Draft) -> None:
    kept = _kept(mailbox, draft)
    if kept is not None:
        message_actions.erase([kept.pk])


def _kept(mailbox: Mailbox, draft: Draft) -> Message | None:
    return (
        Message.objects.filter(
            mailbox=mailbox,
            folder__role=FolderRole.DRAFTS,
            message_id=draft.message_id,
        )
        .select_related("content")
        .first()
    )
