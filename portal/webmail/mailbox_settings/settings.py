from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engine.storage import out_of_office, retention_periods
from engine.storage.models import MailboxSettings
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.mailbox_settings.forms import DisplayForm
from portal.webmail.sidebar import sidebar


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """What can be set for a mailbox, and how full it is."""
    desks = desks_of(request)
    desk = desks.writable(mailbox_id)
    kept = MailboxSettings.objects.filter(mailbox=desk.mailbox).first()
    shown = kept is None or kept.shows_conversations
    posted = request.POST if request.method == "POST" else None
    form = DisplayForm(posted, initial={"shows_conversations": shown})
    if request.method == "POST" and form.is_valid():
        MailboxSettings.objects.update_or_create(
            mailbox=desk.mailbox, defaults=form.cleaned_data
        )
        messages.success(request, "Settings saved")
        return redirect("webmail:settings", mailbox_id=desk.mailbox.pk)
    mailbox = desk.mailbox
    context = {
        "sidebar": sidebar(desks, desk),
        "desk": desk,
        "form": form,
        "full": min(100, 100 * mailbox.used_bytes // max(1, mailbox.quota_bytes)),
        "rules": mailbox.rules.count(),
        "away": out_of_office.told_now(mailbox.pk),
        "retention": retention_periods.of(mailbox.organisation),
    }
    return render(request, "webmail/mailbox_settings/settings.html", context)
