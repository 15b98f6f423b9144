"""Reading preferences: density of lists, and keyboard shortcuts."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.mailbox_settings import actions
from portal.webmail.mailbox_settings.forms import ReadingPreferencesForm
from portal.webmail.models import Density
from portal.webmail.request_ids import parse_id
from portal.webmail.sidebar import render_with_sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Shows and saves how the person reads."""
    mailboxes = accessible_mailboxes(request)
    form = ReadingPreferencesForm(
        request.POST if request.method == "POST" else None,
        initial={
            "density": mailboxes.reading.density,
            "uses_shortcuts": mailboxes.reading.uses_shortcuts,
        },
    )
    if form.is_valid():
        actions.set_reading(mailboxes.person, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("webmail:reading_preferences")
    context = {"form": form, "place": "reading_preferences"}
    return render_with_sidebar(
        request, "webmail/mailbox_settings/reading_preferences.html", context
    )


@requires_mail
@require_POST
def set_density(request: HttpRequest) -> HttpResponse:
    """Changes the density of lists alone, from a list; returns there."""
    mailboxes = accessible_mailboxes(request)
    is_compact = request.POST.get("density") == Density.COMPACT
    density = Density.COMPACT if is_compact else Density.COMFORTABLE
    actions.set_reading(mailboxes.person, density=density)
    folder_id = parse_id(request.POST.get("folder", ""))
    if folder_id is None:
        return redirect("webmail:folder")
    return redirect("webmail:folder", folder_id=folder_id)
