"""The files that a person has sent as links: who downloaded them, and how to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from engine.linked_files import downloads, ending, limits, sending
from engine.linked_files.downloads import Downloads
from engine.linked_files.models import End, LinkedFile, LinkedFileQuerySet
from engine.storage.models import Message
from portal.ui.pagination import paginate
from portal.webmail.access import (
    AccessibleMailboxes,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.sidebar import render_with_sidebar

DOWNLOADS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file with its message or draft, if there is one yet, and its latest downloads."""

    file: LinkedFile
    message: Message | None
    downloads: Downloads

    @property
    def more(self) -> int:
        """How many downloads are not shown."""
        return self.downloads.total - len(self.downloads.latest)

    @property
    def expires_at(self) -> datetime:
        """When it ends by itself."""
        return self.file.expires_at or sending.draft_expiry(self.file)


@requires_mail
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lists what the person, or a mailbox that they may write in, sent as links."""
    mailboxes = accessible_mailboxes(request)
    person = mailboxes.person
    rows = _shared_by(mailboxes).select_related("mailbox", "sender", "person")
    page = paginate(request, rows, descending=True)
    context = {
        "files": _with_downloads(page.rows, mailboxes),
        "links": page.links,
        "room": limits.room_of(person, person.organisation_id or 0),
        "place": "linked_files",
    }
    return render_with_sidebar(request, "webmail/linked_files/own.html", context)


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, file_id: int) -> HttpResponse:
    """Stops sharing a file, after confirmation."""
    mailboxes = accessible_mailboxes(request)
    person = mailboxes.person
    file = get_object_or_404(_shared_by(mailboxes).live(), pk=file_id)
    if request.method == "POST":
        ending.end(file, End.STOPPED, by=person)
        messages.success(request, f"{file.name} can no longer be downloaded.")
        return redirect("webmail:own_linked_files")
    context = {"file": file, "place": "linked_files"}
    return render_with_sidebar(request, "webmail/linked_files/stop.html", context)


def _shared_by(mailboxes: AccessibleMailboxes) -> LinkedFileQuerySet:
    """Returns the files that a person may stop sharing, and those that have ended."""
    writable = [one.mailbox.pk for one in mailboxes.all if one.can_write]
    return LinkedFile.objects.filter(
        Q(person=mailboxes.person) | Q(sender__in=writable)
    )


def _with_downloads(
    files: list[LinkedFile], mailboxes: AccessibleMailboxes
) -> list[OwnFile]:
    """Returns the files with what else the page shows. Two queries."""
    found = downloads.of_files(files, shown=DOWNLOADS_SHOWN)
    references = {one.reference for one in files if one.is_sent}
    readable = [one.mailbox.pk for one in mailboxes.readable]
    rows = Message.objects.filter(reference__in=references, mailbox__in=readable)
    sent = {one.reference: one for one in rows if one.is_sent_copy}
    return [
        OwnFile(
            file,
            sent.get(file.reference),
            found.get(file.pk, Downloads()),
        )
        for file in files
    ]
