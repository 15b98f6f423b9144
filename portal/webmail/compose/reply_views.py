"""Starts a reply, a forwarded message, or a new message from an old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.mail.composer import Attachment, Picture
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.compose import draft_edits, reply_drafts, sender_choice, signatures
from portal.webmail.compose.compose_page import new_compose_page
from portal.webmail.compose.compose_request import check_can_send, default_sender
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft import Draft, draft_token
from portal.webmail.models import WritingPreferences
from portal.webmail.rendering import parsed_message


@requires_mail
@require_safe
def reply(request: HttpRequest, message_id: int) -> HttpResponse:
    """Opens the compose page with a reply to the sender."""
    return _reply(request, message_id, to_all=False)


@requires_mail
@require_safe
def reply_all(request: HttpRequest, message_id: int) -> HttpResponse:
    """Opens the compose page with a reply to the sender and all recipients."""
    return _reply(request, message_id, to_all=True)


@requires_mail
@require_POST
def forward(request: HttpRequest, message_id: int) -> HttpResponse:
    """Creates and saves a draft that forwards the message with its attachments."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    parsed = parsed_message.parse_stored(message)
    attached = request.POST.get("as") == "file"
    draft = reply_drafts.forward(message, parsed, attached=attached)
    draft = _opened(draft, mailboxes, access)
    if draft.html and not attached:
        draft = replace(draft, html=draft.html + reply_drafts.forward_html(parsed))
    return _save_and_open(
        mailboxes,
        access,
        draft,
        reply_drafts.forwarded_files(parsed, attached=attached),
    )


@requires_mail
@require_POST
def again(request: HttpRequest, message_id: int) -> HttpResponse:
    """Creates a draft with the text and attachments of a message.

    For a deleted draft, restores the draft itself.
    """
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    token = draft_token(message.message_id)
    if message.is_draft and token is not None and access.can_write:
        draft_store.restore(message)
        return redirect("webmail:draft", mailbox_id=access.mailbox.pk, token=token)
    parsed = parsed_message.parse_stored(message)
    draft = reply_drafts.again(parsed, uuid4(), keeps_html=token is not None)
    sender = sender_choice.written_from(parsed, default_sender(mailboxes, access))
    draft = replace(draft, sender=sender.key)
    shown = reply_drafts.pictures(parsed, draft.html)
    files = reply_drafts.forwarded_files(
        parsed, attached=False, with_pictures=not draft.html
    )
    return _save_and_open(mailboxes, access, draft, files, shown)


def _save_and_open(
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    draft: Draft,
    attached: list[Attachment],
    shown: Sequence[Picture] = (),
) -> HttpResponse:
    """Saves a new draft with its attachments, and opens it.

    Raises Http404 for people without a mailbox for drafts: their page offers neither
    action.
    """
    check_can_send(mailboxes)
    home = mailboxes.drafts_access(access)
    if home is None:
        raise Http404
    attachments.add_all_scanned(
        attached, shown, mailbox=home.mailbox, token=draft.token
    )
    draft_store.save(
        draft, mailbox=home.mailbox, sender=default_sender(mailboxes, access)
    )
    return redirect("webmail:draft", mailbox_id=access.mailbox.pk, token=draft.token)


def _reply(request: HttpRequest, message_id: int, *, to_all: bool) -> HttpResponse:
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    parsed = parsed_message.parse_stored(message)
    own = [one.mailbox for one in mailboxes.sendable]
    draft = reply_drafts.reply(
        message, parsed, own=sender_choice.own_keys(parsed, own), to_all=to_all
    )
    sender = sender_choice.answering(parsed, default_sender(mailboxes, access))
    draft = replace(draft, sender=sender.key)
    draft = _opened(draft, mailboxes, access)
    if draft.html:
        quoted = reply_drafts.reply_html(message, parsed)
        draft = replace(draft, html=draft.html + quoted)
    return new_compose_page(request, mailboxes, access, draft, answers=message.pk)


def _opened(
    draft: Draft, mailboxes: AccessibleMailboxes, access: MailboxAccess
) -> Draft:
    """Returns the draft with the signature, and with formatting for those who want it."""
    signature = signatures.default_signature(default_sender(mailboxes, access))
    text = signatures.add_signature(draft.text, signature)
    is_rich = WritingPreferences.objects.of(mailboxes.person).writes_rich_text
    html = draft_edits.opening(signature) if is_rich else ""
    return replace(draft, text=text, html=html)
