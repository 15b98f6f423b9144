from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from portal.webmail.access import Desks, desks_of, uses_mail
from portal.webmail.mailbox_settings import actions
from portal.webmail.mailbox_settings.forms import HabitsForm, SignatureForm
from portal.webmail.models import Habits, Signature, UndoTime
from portal.webmail.sidebar import render_with_sidebar


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Undo time, and the signatures of every mailbox that the person may send from."""
    desks = desks_of(request)
    kept = Habits.objects.filter(person=desks.person).first() or Habits()
    form = HabitsForm(
        request.POST if request.method == "POST" else None,
        initial={"undo_seconds": kept.undo_seconds},
    )
    if form.is_valid():
        undo_time = UndoTime(form.cleaned_data["undo_seconds"])
        actions.set_undo_time(desks.person, undo_time)
        messages.success(request, "Saved.")
        return redirect("webmail:habits")
    mailboxes = [desk.mailbox for desk in desks.sendable]
    rows = Signature.objects.filter(mailbox__in=mailboxes)
    context = {
        "form": form,
        "signed": [
            (mailbox, [row for row in rows if row.mailbox_id == mailbox.pk])
            for mailbox in mailboxes
        ],
        "place": "habits",
    }
    return render_with_sidebar(
        request, "webmail/mailbox_settings/writing_preferences.html", context
    )


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add_signature(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Write a signature for a mailbox that the person may send from."""
    signature = Signature(mailbox=_mailbox(desks_of(request), mailbox_id))
    return _edited(request, signature, SignatureForm())


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit_signature(request: HttpRequest, signature_id: int) -> HttpResponse:
    """Change a signature."""
    signature = _signature(request, signature_id)
    return _edited(request, signature, SignatureForm.of(signature))


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def delete_signature(request: HttpRequest, signature_id: int) -> HttpResponse:
    """Ask, then remove a signature."""
    signature = _signature(request, signature_id)
    if request.method == "POST":
        actions.delete_signature(signature)
        messages.success(request, "Signature deleted.")
        return redirect("webmail:habits")
    context = {"signature": signature, "place": "habits"}
    return render_with_sidebar(
        request, "webmail/mailbox_settings/signature_delete.html", context
    )


def _edited(
    request: HttpRequest, signature: Signature, form: SignatureForm
) -> HttpResponse:
    if request.method == "POST":
        form = SignatureForm(request.POST)
        if form.is_valid():
            try:
                actions.save_signature(signature, **form.cleaned_data)
            except PolicyError as error:
                form.add_error("name", str(error))
            else:
                messages.success(request, "Signature saved.")
                return redirect("webmail:habits")
    context = {"form": form, "signature": signature, "place": "habits"}
    return render_with_sidebar(
        request, "webmail/mailbox_settings/signature.html", context
    )


def _signature(request: HttpRequest, signature_id: int) -> Signature:
    signature = get_object_or_404(
        Signature.objects.select_related("mailbox"), pk=signature_id
    )
    _mailbox(desks_of(request), signature.mailbox_id)
    return signature


def _mailbox(desks: Desks, mailbox_id: int) -> Mailbox:
    """Raises Http404 unless the person may send from it."""
    for desk in desks.sendable:
        if desk.mailbox.pk == mailbox_id:
            return desk.mailbox
    raise Http404
