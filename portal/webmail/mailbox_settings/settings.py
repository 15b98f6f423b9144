"""The settings page of a mailbox, and its quota."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engine.storage import out_of_office, retention_periods
from engine.storage.models import MailboxSettings
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.mailbox_settings.forms import DisplayForm
from portal.webmail.sidebar import sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Shows how full the mailbox is and links its settings; saves how mail is listed."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    kept = MailboxSettings.objects.filter(mailbox=access.mailbox).first()
    shown = {
        "shows_conversations": kept is None or kept.shows_conversations,
        "archives_by_year": kept is not None and kept.archives_by_year,
    }
    posted = request.POST if request.method == "POST" else None
    form = DisplayForm(posted, initial=shown)
    if request.method == "POST" and form.is_valid():
        MailboxSettings.objects.update_or_create(
            mailbox=access.mailbox, defaults=form.cleaned_data
        )
        messages.success(request, "Settings saved")
        return redirect("webmail:settings", mailbox_id=access.mailbox.pk)
    mailbox = access.mailbox
    context = {
        "sidebar": sidebar(mailboxes, access),
        "access": access,
        "form": form,
        "full": min(100, 100 * mailbox.used_bytes // max(1, mailbox.quota_bytes)),
        "rules": mailbox.rules.count(),
        "is_out_of_office": out_of_office.current_text(mailbox.pk),
        "retention": retention_periods.retention_of(mailbox.organisation),
    }
    return render(request, "webmail/mailbox_settings/settings.html", context)
