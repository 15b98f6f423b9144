"""Archives everything in a folder that is older than a while."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from engine import calendar_days
from engine.registry.errors import PolicyError
from engine.storage.organising import archive
from portal.webmail import tasks
from portal.webmail.access import accessible_mailboxes, requires_mail

# Days, and what the form calls them.
AGES = {
    "30": "a month",
    "90": "three months",
    "180": "six months",
    "365": "a year",
    "730": "two years",
}


@requires_mail
@require_POST
def older(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Archives what is older than a while by year; a job does the rest of many messages."""
    _, folder = accessible_mailboxes(request).writable_folder(folder_id)
    age = request.POST.get("age", "")
    if age not in AGES:
        raise Http404
    before = calendar_days.later(timezone.now(), days=-int(age))
    try:
        archive.check_can_archive(folder)
        left = archive.archive_slice(folder, before=before, by_year=True)
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
        return redirect("webmail:folder", folder_id=folder.pk)
    if left is not None:
        tasks.start_archiving(folder.pk, before, left)
        messages.success(
            request, "The older messages are being archived. It may take minutes."
        )
    else:
        messages.success(
            request, f"Messages older than {AGES[age]} are in Archive, by year."
        )
    return redirect("webmail:folder", folder_id=folder.pk)
