"""Saves, finds and deletes drafts."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.db.models import QuerySet

from engine.database.prepared_queries import PreparedQuery
from engine.linked_files import sending
from engine.linked_files.models import LinkedFile
from engine.registry.models import Mailbox
from engine.storage import content, message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail.drafts import attachments
from portal.webmail.drafts.draft import Draft, parse_draft
from portal.webmail.drafts.draft_lock import lock_drafts
from portal.webmail.models import DraftFile


def _named(mailbox: int, role: str, message_id: str) -> QuerySet[Message]:
    rows = Message.objects.filter(
        mailbox=mailbox, folder__role=role, message_id=message_id
    )
    return rows.order_by("pk")


# Each press of a button asks several times, before its locks and behind them.
_SAVED = PreparedQuery(
    lambda *names: _named(*names).select_related("content", "mailbox")[:1]
)
_SENT = PreparedQuery(lambda *names: _named(*names).only("pk")[:1])


class DraftConflictError(Exception):
    """Another window saved, sent or deleted the draft since it was read."""


class ClosedError(Exception):
    """Nothing more is written in the draft. Has the sentence to show."""


class SentAlreadyError(ClosedError):
    """The draft was sent before: by another window, or a second press of the button."""

    def __init__(self) -> None:
        super().__init__("This message has been sent already.")


class DeletedError(ClosedError):
    """The window deleted the draft after what it saves late."""

    def __init__(self) -> None:
        super().__init__("This draft was deleted. It is in the Deleted folder.")


def find(mailbox: Mailbox, token: UUID) -> Draft | None:
    """Returns the saved draft with this token, or None."""
    kept = _saved_message(mailbox, Draft(token=token))
    return parse_draft(token, content.read(kept), kept.pk) if kept else None


def is_sent(draft: Draft, *, sender: Mailbox) -> bool:
    """True if the draft was sent already."""
    return _SENT.first(sender.pk, FolderRole.SENT, draft.message_id) is not None


@transaction.atomic
def save(draft: Draft, *, mailbox: Mailbox, sender: Mailbox) -> Draft:
    """Saves the draft in place of its earlier version. Returns it with the new version."""
    drafts = lock_drafts(mailbox)
    _erase_saved(mailbox, draft)
    row = message_actions.append(
        drafts, draft.to_draft_message(sender), is_read=True, is_draft=True
    )
    update_attachment_flag(draft.token, mailbox=mailbox)
    return replace(draft, version=row.pk)


def update_attachment_flag(token: UUID, *, mailbox: Mailbox) -> None:
    """Sets whether the list of drafts marks this one as having attachments."""
    has_files = (
        DraftFile.objects.of(mailbox, token).exists()
        or LinkedFile.objects.of_draft(mailbox, token).exists()
    )
    Message.objects.filter(
        mailbox=mailbox,
        folder__role=FolderRole.DRAFTS,
        message_id=Draft(token=token).message_id,
    ).update(has_attachments=has_files)


@transaction.atomic
def save_over(
    draft: Draft, *, version: int | None, mailbox: Mailbox, sender: Mailbox
) -> Draft:
    """Saves the draft over the given version; None if it was never saved.

    Saves of one window follow each other without it: a page that is left, or whose
    connection broke, may not know what its last save made. One that arrives late changes
    nothing. Raises DraftConflictError if another window saved, sent or deleted it
    meanwhile.
    """
    lock_drafts(mailbox)
    kept = find(mailbox, draft.token)
    if kept is not None and draft.window and kept.window == draft.window:
        if kept.turn >= draft.turn:
            return kept
    elif (kept.version if kept else None) != version or (
        kept is None and _is_closed(draft, mailbox=mailbox, sender=sender)
    ):
        raise DraftConflictError
    return save(draft, mailbox=mailbox, sender=sender)


@transaction.atomic
def fork(draft: Draft, *, mailbox: Mailbox, sender: Mailbox) -> Draft:
    """Saves what a window has as a draft of its own, with copies of the files.

    For after a conflict. Another call for the same window saves the same draft, and
    copies what was added since: the answer to the first may be lost. Raises
    SentAlreadyError, and DeletedError where the window itself deleted the draft.
    """
    lock_drafts(mailbox)
    token = uuid5(draft.token, draft.window) if draft.window else uuid4()
    own = replace(draft, token=token, version=None)
    for one in (draft, own):
        if is_sent(one, sender=sender):
            raise SentAlreadyError
        if _is_deleted(one, mailbox=mailbox):
            raise DeletedError
    kept = find(mailbox, token)
    if kept is not None and kept.turn >= draft.turn:
        return kept
    attachments.copy_all(mailbox, draft.token, to=token)
    if kept is None:
        sending.copy_all(mailbox, draft.token, to=token)
    return save(own, mailbox=mailbox, sender=sender)


@transaction.atomic
def delete(draft: Draft, *, mailbox: Mailbox) -> None:
    """Deletes the saved draft and its attachments for good."""
    _erase_saved(mailbox, draft)
    attachments.remove_all(mailbox, draft.token)


@transaction.atomic
def move_to_deleted(draft: Draft, *, mailbox: Mailbox) -> Message | None:
    """Moves the saved draft to Deleted and returns it.

    Returns None if it was never saved; its attachments are deleted then.
    """
    lock_drafts(mailbox)
    kept = _saved_message(mailbox, draft)
    if kept is None:
        attachments.remove_all(mailbox, draft.token)
    else:
        message_actions.move([kept], folder(mailbox, FolderRole.TRASH))
    return kept


@transaction.atomic
def restore(message: Message) -> None:
    """Moves a deleted draft back to Drafts."""
    drafts = lock_drafts(message.mailbox)
    others = Message.objects.filter(folder=drafts, message_id=message.message_id)
    if not others.exists():
        message_actions.move([message], drafts)


def _is_closed(draft: Draft, *, mailbox: Mailbox, sender: Mailbox) -> bool:
    return is_sent(draft, sender=sender) or _is_deleted(draft, mailbox=mailbox)


def _is_deleted(draft: Draft, *, mailbox: Mailbox) -> bool:
    """Whether a window deleted the draft once it had saved what this late save has."""
    deleted = _saved_message(mailbox, draft, role=FolderRole.TRASH)
    if deleted is None or not draft.window:
        return False
    last = parse_draft(draft.token, content.read(deleted), deleted.pk)
    return last.window == draft.window and last.turn >= draft.turn


def _erase_saved(mailbox: Mailbox, draft: Draft) -> None:
    kept = _saved_message(mailbox, draft)
    if kept is not None:
        message_actions.erase([kept.pk])


def _saved_message(
    mailbox: Mailbox, draft: Draft, *, role: FolderRole = FolderRole.DRAFTS
) -> Message | None:
    return _SAVED.first(mailbox.pk, role, draft.message_id)
