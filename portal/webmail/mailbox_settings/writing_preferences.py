"""Writing preferences: undo time, and signatures of the mailboxes one may send from."""

from __future__ import annotations

from django.contrib import messages
from django.forms import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from portal.webmail.access import (
    AccessibleMailboxes,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.compose import text_templates
from portal.webmail.mailbox_settings import actions
from portal.webmail.mailbox_settings.forms import SignatureForm, WritingPreferencesForm
from portal.webmail.models import Signature, UndoTime, WritingPreferences
from portal.webmail.sidebar import render_with_sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Shows and saves the undo time, and lists the signatures."""
    mailboxes = accessible_mailboxes(request)
    kept = WritingPreferences.objects.of(mailboxes.person)
    form = WritingPreferencesForm(
        request.POST if request.method == "POST" else None,
        initial=model_to_dict(kept, list(WritingPreferencesForm.base_fields)),
    )
    if form.is_valid():
        chosen = form.cleaned_data
        undo_time = UndoTime(chosen.pop("undo_seconds"))
        actions.save_preferences(mailboxes.person, undo_time=undo_time, **chosen)
        messages.success(request, "Saved.")
        return redirect("webmail:writing_preferences")
    senders = [access.mailbox for access in mailboxes.sendable]
    rows = Signature.objects.filter(mailbox__in=senders)
    context = {
        "form": form,
        "signatures_by_mailbox": [
            (mailbox, [row for row in rows if row.mailbox_id == mailbox.pk])
            for mailbox in senders
        ],
        "templates": text_templates.of(mailboxes.person).select_related("organisation"),
        "administered": text_templates.administered_by(mailboxes.person),
        "place": "writing_preferences",
    }
    return render_with_sidebar(
        request, "webmail/mailbox_settings/writing_preferences.html", context
    )


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add_signature(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Adds a signature to a mailbox that the person may send from."""
    signature = Signature(mailbox=_mailbox(accessible_mailboxes(request), mailbox_id))
    return _save_signature(request, signature, SignatureForm())


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit_signature(request: HttpRequest, signature_id: int) -> HttpResponse:
    """Changes a signature."""
    signature = _signature(request, signature_id)
    return _save_signature(request, signature, SignatureForm.of(signature))


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def delete_signature(request: HttpRequest, signature_id: int) -> HttpResponse:
    """Deletes a signature after confirmation."""
    signature = _signature(request, signature_id)
    if request.method == "POST":
        actions.delete_signature(signature)
        messages.success(request, "Signature deleted.")
        return redirect("webmail:writing_preferences")
    context = {"signature": signature, "place": "writing_preferences"}
    return render_with_sidebar(
        request, "webmail/mailbox_settings/signature_delete.html", context
    )


def _save_signature(
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
                return redirect("webmail:writing_preferences")
    context = {"form": form, "signature": signature, "place": "writing_preferences"}
    return render_with_sidebar(
        request, "webmail/mailbox_settings/signature.html", context
    )


def _signature(request: HttpRequest, signature_id: int) -> Signature:
    signature = get_object_or_404(
        Signature.objects.select_related("mailbox"), pk=signature_id
    )
    _mailbox(accessible_mailboxes(request), signature.mailbox_id)
    return signature


def _mailbox(mailboxes: AccessibleMailboxes, mailbox_id: int) -> Mailbox:
    """Returns a mailbox to send from. Raises Http404 for any other."""
    for access in mailboxes.sendable:
        if access.mailbox.pk == mailbox_id:
            return access.mailbox
    raise Http404
