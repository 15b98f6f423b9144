from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.mail.address import Address
from engine.mail.composer import Attachment
from portal.webmail.access import Desk, Desks, desks_of, uses_mail
from portal.webmail.compose import reply_drafts, signatures
from portal.webmail.compose.compose_page import new_page
from portal.webmail.compose.compose_request import check_can_write, sender_at
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.attachments import Upload
from portal.webmail.drafts.draft import Draft, token_of
from portal.webmail.rendering import parsed_message


@uses_mail
@require_safe
def reply(request: HttpRequest, message_id: int) -> HttpResponse:
    """An answer to the sender."""
    return _reply(request, message_id, to_all=False)


@uses_mail
@require_safe
def reply_all(request: HttpRequest, message_id: int) -> HttpResponse:
    """An answer to everybody who got the message."""
    return _reply(request, message_id, to_all=True)


@uses_mail
@require_POST
def forward(request: HttpRequest, message_id: int) -> HttpResponse:
    """Begin a draft that carries the message on. It holds files, so it is kept at once."""
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    opened = parsed_message.read(message)
    attached = request.POST.get("as") == "file"
    draft = reply_drafts.forward(message, opened, attached=attached)
    draft = _signed(draft, desks, desk)
    return _begun(
        desks, desk, draft, reply_drafts.files_along(opened, attached=attached)
    )


@uses_mail
@require_POST
def again(request: HttpRequest, message_id: int) -> HttpResponse:
    """Begin a draft with what the message says and carries, to be sent as a new one.

    A draft that was thrown away is itself written on.
    """
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    token = token_of(message.message_id)
    if message.is_draft and token is not None and desk.can_write:
        draft_store.fetch_back(message)
        return redirect("webmail:draft", mailbox_id=desk.mailbox.pk, token=token)
    opened = parsed_message.read(message)
    draft = reply_drafts.again(opened, uuid4())
    return _begun(desks, desk, draft, reply_drafts.files_along(opened, attached=False))


def _begun(
    desks: Desks, desk: Desk, draft: Draft, attached: list[Attachment]
) -> HttpResponse:
    """Keep a new draft with its files, and open it.

    Raises Http404 for who has no place for drafts: the page offers neither of these.
    """
    check_can_write(desks)
    home = desks.drafts_at(desk)
    if home is None:
        raise Http404
    for one in attached:
        upload = Upload(one.name, one.content_type, [one.data])
        attachments.keep(upload, mailbox=home.mailbox, token=draft.token)
    draft_store.save(draft, mailbox=home.mailbox, sender=sender_at(desks, desk))
    return redirect("webmail:draft", mailbox_id=desk.mailbox.pk, token=draft.token)


def _reply(request: HttpRequest, message_id: int, *, to_all: bool) -> HttpResponse:
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    draft = reply_drafts.reply(
        message, parsed_message.read(message), own=_own(desks), to_all=to_all
    )
    draft = _signed(draft, desks, desk)
    return new_page(request, desks, desk, draft, answers=message.pk)


def _signed(draft: Draft, desks: Desks, desk: Desk) -> Draft:
    signature = signatures.default_of(sender_at(desks, desk))
    return replace(draft, text=signatures.signed(draft.text, signature))


def _own(desks: Desks) -> frozenset[str]:
    return frozenset(Address.parse(desk.mailbox.address).key for desk in desks.sendable)
