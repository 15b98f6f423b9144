from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from engine.mail.errors import MailError
from engine.registry.access import signed_in
from portal.webmail import actions, quoting
from portal.webmail.access import Desk, Desks, desks_of
from portal.webmail.actions import Addressees
from portal.webmail.draft import Draft
from portal.webmail.forms import WriteForm
from portal.webmail.views.write_page import form_for, write_page


@signed_in
@require_safe
def compose(request: HttpRequest, mailbox_id: int | None = None) -> HttpResponse:
    """An empty message."""
    desks = desks_of(request)
    desk = desks.at(mailbox_id) if mailbox_id else desks.first()
    if desk is None:
        return render(request, "webmail/no_mailbox.html")
    draft = Draft(token=uuid4(), to=request.GET.get("to", "")[:500])
    return write_page(request, desks, desk, draft, form_for(desks, desk, draft))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """A message being written: show it, keep it, send it or throw it away."""
    desks = desks_of(request)
    desk = desks.at(mailbox_id)
    kept = _kept(desks, desk, token)
    if request.method != "POST":
        shown = kept or Draft(token=token)
        return write_page(request, desks, desk, shown, form_for(desks, desk, shown))
    if not desks.sendable:
        raise PermissionDenied("You may read this mailbox, but not send from it.")
    form = WriteForm(
        request.POST,
        request.FILES,
        draft=kept or _started(request, desks, token),
        senders=desks.sendable,
    )
    if actions.is_sent(form.draft, sender=form.desk.mailbox):
        messages.info(request, "This message has been sent already.")
        return redirect("webmail:mailbox", mailbox_id=desk.mailbox.pk)
    if request.POST.get("do") == "send":
        return _send(request, desks, desk, form)
    return _keep(request, desks, desk, form)


def _kept(desks: Desks, desk: Desk, token: UUID) -> Draft | None:
    home = desks.drafts_at(desk)
    return actions.find_draft(home.mailbox, Draft(token=token)) if home else None


def _started(request: HttpRequest, desks: Desks, token: UUID) -> Draft:
    """What a message is before it was ever kept: empty, or an answer to another."""
    draft = Draft(token=token)
    answers = request.POST.get("answers", "")
    if not (answers.isascii() and answers.isdigit()):
        return draft
    try:
        _, message = desks.message(int(answers))
    except Http404:
        # Deleted meanwhile, perhaps by a colleague: the words are still good.
        return draft
    return quoting.threaded(draft, message)


def _keep(
    request: HttpRequest, desks: Desks, desk: Desk, form: WriteForm
) -> HttpResponse:
    """Keep the draft, add or remove files, or throw it away."""
    do = request.POST.get("do", "")
    home = desks.drafts_at(desk)
    if do == "discard":
        if home:
            actions.discard_draft(form.draft, mailbox=home.mailbox)
        messages.success(request, "Draft deleted.")
        return redirect("webmail:mailbox", mailbox_id=desk.mailbox.pk)
    is_valid = form.is_valid()
    edited = form.edited()
    if not is_valid or home is None:
        return write_page(request, desks, desk, edited, form)
    if do.startswith("remove-") and do[7:].isascii() and do[7:].isdigit():
        edited = edited.without_file(int(do[7:]))
    actions.save_draft(edited, mailbox=home.mailbox, sender=form.desk.mailbox)
    if do == "save":
        messages.success(request, "Draft saved.")
    return redirect("webmail:draft", mailbox_id=desk.mailbox.pk, token=edited.token)


def _send(
    request: HttpRequest, desks: Desks, desk: Desk, form: WriteForm
) -> HttpResponse:
    """Send the message; where that fails, keep its files and say what is wrong."""
    is_valid = form.is_valid()
    addressees = form.addressees()
    edited = form.edited()
    home = desks.drafts_at(desk)
    if is_valid and not form.errors and _sent(desks, desk, form, edited, addressees):
        messages.success(request, "Message sent.")
        return redirect("webmail:mailbox", mailbox_id=desk.mailbox.pk)
    if home and edited.attachments:
        actions.save_draft(edited, mailbox=home.mailbox, sender=form.desk.mailbox)
    return write_page(request, desks, desk, edited, form)


def _sent(
    desks: Desks, desk: Desk, form: WriteForm, edited: Draft, addressees: Addressees
) -> bool:
    home = desks.drafts_at(desk)
    try:
        actions.send(
            edited,
            addressees,
            sender=form.desk.mailbox,
            drafts=home.mailbox if home else None,
            by=desks.person,
        )
    except MailError as error:
        form.refused(error)
        return False
    actions.mark_answered(edited, mailbox=desk.mailbox)
    return True
