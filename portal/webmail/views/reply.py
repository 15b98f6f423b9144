from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.mail.address import Address
from engine.registry.access import signed_in
from portal.webmail import actions, quoting, reading
from portal.webmail.access import Desks, desks_of
from portal.webmail.views.write_page import form_for, write_page


@signed_in
@require_safe
def reply(request: HttpRequest, message_id: int) -> HttpResponse:
    """An answer to the sender."""
    return _reply(request, message_id, to_all=False)


@signed_in
@require_safe
def reply_all(request: HttpRequest, message_id: int) -> HttpResponse:
    """An answer to everybody who got the message."""
    return _reply(request, message_id, to_all=True)


@signed_in
@require_POST
def forward(request: HttpRequest, message_id: int) -> HttpResponse:
    """Begin a draft that carries the message on. It holds files, so it is kept at once."""
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    attached = request.POST.get("as") == "file"
    draft = quoting.forward(message, reading.read(message), attached=attached)
    form = form_for(desks, desk, draft)
    home = desks.drafts_at(desk)
    if home is None:
        return write_page(request, desks, desk, draft, form)
    actions.save_draft(draft, mailbox=home.mailbox, sender=form.desk.mailbox)
    return redirect("webmail:draft", mailbox_id=desk.mailbox.pk, token=draft.token)


def _reply(request: HttpRequest, message_id: int, *, to_all: bool) -> HttpResponse:
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    draft = quoting.reply(
        message, reading.read(message), own=_own(desks), to_all=to_all
    )
    form = form_for(desks, desk, draft, answers=message.pk)
    return write_page(request, desks, desk, draft, form)


def _own(desks: Desks) -> frozenset[str]:
    return frozenset(Address.parse(desk.mailbox.address).key for desk in desks.sendable)
