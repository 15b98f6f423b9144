"""The automatic reply of a mailbox while its owner is away."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from engine import calendar_days
from engine.registry.errors import PolicyError
from engine.storage import out_of_office
from engine.storage.models import OutOfOffice
from portal.webmail.access import MailboxAccess, accessible_mailboxes, requires_mail
from portal.webmail.mailbox_settings.forms import OutOfOfficeForm
from portal.webmail.sidebar import sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def out_of_office_page(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Shows the automatic reply; turns it on, changes it or turns it off."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    if not access.can_send:
        raise PermissionDenied("You may not send from this mailbox.")
    kept = out_of_office.of(access.mailbox)
    if request.method == "POST" and request.POST.get("do") == "off":
        out_of_office.turn_off(access.mailbox)
        messages.success(request, "The automatic reply is off")
        return redirect("webmail:out_of_office", mailbox_id=access.mailbox.pk)
    form = OutOfOfficeForm(request.POST or None, initial=_initial(kept))
    if request.method == "POST" and form.is_valid() and _turned_on(access, form):
        messages.success(request, "The automatic reply is on")
        return redirect("webmail:out_of_office", mailbox_id=access.mailbox.pk)
    context = {
        "sidebar": sidebar(mailboxes, access),
        "access": access,
        "form": form,
        "kept": kept,
        "button": "Save" if kept.is_on else "Turn it on",
    }
    return render(request, "webmail/mailbox_settings/out_of_office.html", context)


def _turned_on(access: MailboxAccess, form: OutOfOfficeForm) -> bool:
    data = form.cleaned_data
    last = data["last_day"]
    try:
        out_of_office.turn_on(
            access.mailbox,
            starts_at=calendar_days.start_of(data["first_day"]),
            ends_at=calendar_days.end_of(last) if last else None,
            subject=data["subject"],
            text=data["text"],
        )
    except PolicyError as refusal:
        form.add_error("last_day", str(refusal))
        return False
    return True


def _initial(kept: OutOfOffice) -> dict[str, object]:
    ends_at = kept.ends_at
    return {
        "first_day": timezone.localdate(kept.starts_at),
        "last_day": calendar_days.last_before(ends_at) if ends_at else None,
        "subject": kept.subject,
        "text": kept.text,
    }
