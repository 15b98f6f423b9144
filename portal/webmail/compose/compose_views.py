from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.mail.errors import MailError
from engine.queue.sending_rates.rate_limits import RateExceededError
from engine.registry.models import Person
from engine.storage.mailbox_delivery import folder
from engine.storage.models import FolderRole, Message
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.compose import (
    expired_session,
    pre_send_warnings,
    send_message,
    signatures,
    undo_send,
)
from portal.webmail.compose.compose_page import new_page, write_page
from portal.webmail.compose.compose_request import Exchange, Writing, begin, sender_at
from portal.webmail.compose.send_message import Addressees, SentAlreadyError
from portal.webmail.contacts import address_book
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_store import ChangedElsewhereError
from portal.webmail.mailbox import undo_move
from portal.webmail.models import ContactGroup

SENT_ALREADY = "This message has been sent already."
CHANGED_ELSEWHERE = (
    "This message was changed or sent in another window. What you wrote here is kept as "
    "a draft of its own: compare the two before you send one of them."
)


@uses_mail
@require_safe
def compose(request: HttpRequest, mailbox_id: int | None = None) -> HttpResponse:
    """An empty message."""
    desks = desks_of(request)
    desk = desks.at(mailbox_id) if mailbox_id else desks.first()
    if desk is None:
        return render(request, "webmail/no_mailbox.html")
    signature = signatures.default_of(sender_at(desks, desk))
    draft = Draft(
        token=uuid4(),
        to=_addressed(request, desks.person),
        text=signatures.signed("", signature),
    )
    return new_page(request, desks, desk, draft)


def _addressed(request: HttpRequest, person: Person) -> str:
    """Whom the link that led here names: an address, or a group of the person's."""
    group = request.GET.get("group", "")
    if group.isascii() and group.isdigit() and len(group) < 19:
        found = ContactGroup.objects.filter(person=person, pk=group).first()
        return address_book.typed(address_book.members(found)) if found else ""
    return request.GET.get("to", "")[:500]


@expired_session.keep
@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """A message being written: show it, keep it, send it or throw it away."""
    writing = begin(request, mailbox_id, token)
    if request.method != "POST":
        return _shown(request, writing)
    if send_message.is_sent(writing.kept, sender=writing.form.desk.mailbox):
        messages.info(request, SENT_ALREADY)
        return redirect("webmail:mailbox", mailbox_id=mailbox_id)
    do = request.POST.get("do", "save")
    if do == "send":
        return _send(request, writing)
    if do == "discard":
        return _discard(request, writing)
    return _keep(request, writing, do)


def _shown(request: HttpRequest, writing: Writing) -> HttpResponse:
    """The draft; first with the words, if any, that a lapsed session could not keep."""
    posted = expired_session.take(request)
    if posted is None:
        checked = "checked" in request.GET
        return write_page(request, writing, writing.kept, checked=checked)
    say = messages.warning if posted.file_names else messages.success
    say(request, posted.notice)
    return _keep(request, writing.posted_again(posted.words), "restore")


def _discard(request: HttpRequest, writing: Writing) -> HttpResponse:
    """Throw the draft away, and offer it back."""
    thrown = _thrown_away(writing)
    if thrown is None:
        messages.success(request, "Draft deleted.")
        return redirect("webmail:mailbox", mailbox_id=writing.desk.mailbox.pk)
    trash = folder(thrown.mailbox, FolderRole.TRASH)
    place = reverse("webmail:folder", args=[thrown.folder.pk])
    undo_move.remember(request, [thrown], target=trash, place=place)
    messages.success(request, f"Draft moved to {trash.name}.")
    return redirect(place)


def _thrown_away(writing: Writing) -> Message | None:
    """The draft with all that is typed on the page, where it lies now."""
    if writing.home is None:
        return None
    if writing.form.is_valid() and not writing.form.edited().is_empty:
        # Where another window was quicker, its words are thrown away as they are.
        with suppress(ChangedElsewhereError):
            writing.save()
    return draft_store.throw_away(writing.kept, mailbox=writing.home)


def _keep(request: HttpRequest, writing: Writing, do: str) -> HttpResponse:
    """Keep the draft, and do what else was asked with it."""
    form = writing.form
    if not form.is_valid() or writing.home is None:
        return write_page(request, writing, form.edited(), checked=do == "check")
    try:
        edited = writing.save(_signature(request, writing) if do == "sign" else None)
    except ChangedElsewhereError:
        return _kept_apart(request, writing)
    file = do.removeprefix("remove-")
    if file != do and file.isascii() and file.isdigit() and len(file) < 19:
        attachments.remove(int(file), mailbox=writing.home, token=edited.token)
    writing.add_files()
    if form.errors:
        return write_page(request, writing, edited)
    if do == "save":
        messages.success(request, "Draft saved.")
    return redirect(_next(do, writing.door(edited)))


def _next(do: str, door: str) -> str:
    """Where somebody goes on after what they asked for."""
    if do == "find":
        return f"{door}people/"
    return f"{door}?checked#recipients" if do == "check" else door


def _kept_apart(request: HttpRequest, writing: Writing) -> HttpResponse:
    messages.warning(request, CHANGED_ELSEWHERE)
    return redirect(writing.door(writing.save_apart()))


def _signature(request: HttpRequest, writing: Writing) -> Exchange:
    """What puts the chosen signature into the words."""
    chosen = request.POST.get("signature", "")
    sender = writing.form.desk.mailbox
    found = signatures.of(sender).filter(name=chosen).first()
    return lambda text: signatures.exchanged(text, sender, found)


def _send(request: HttpRequest, writing: Writing) -> HttpResponse:
    """Send the message; where that fails, keep it and say what is wrong."""
    form = writing.form
    addressees = form.addressees() if form.is_valid() else None
    if addressees is None:
        return write_page(request, writing, form.edited())
    try:
        edited = writing.save()
    except ChangedElsewhereError:
        return _kept_apart(request, writing)
    writing.add_files()
    odd = [] if form.errors else _odd(request, writing, edited, addressees)
    if form.errors or odd:
        return write_page(request, writing, edited, warnings=odd)
    return _sent(request, writing, edited, addressees)


def _odd(
    request: HttpRequest, writing: Writing, edited: Draft, addressees: Addressees
) -> list[str]:
    """What to read before the message goes, unless it was read already."""
    if "confirmed" in request.POST:
        return []
    return pre_send_warnings.before_sending(
        edited, file_sizes=writing.file_sizes, recipients=len(addressees.all)
    )


def _sent(
    request: HttpRequest, writing: Writing, edited: Draft, addressees: Addressees
) -> HttpResponse:
    try:
        departure = send_message.send(
            writing.sending(edited, addressees), by=writing.desks.person
        )
    except MailError as error:
        writing.form.refused(error, has_files=bool(writing.file_sizes))
        page = write_page(request, writing, edited)
        if isinstance(error, RateExceededError):
            page.status_code = HTTPStatus.TOO_MANY_REQUESTS
            page["Retry-After"] = str(error.retry_after)
        return page
    except SentAlreadyError:
        messages.info(request, SENT_ALREADY)
    else:
        send_message.mark_answered(edited, mailbox=writing.desk.mailbox)
        undo_send.tell(request, departure)
    return redirect("webmail:mailbox", mailbox_id=writing.desk.mailbox.pk)
