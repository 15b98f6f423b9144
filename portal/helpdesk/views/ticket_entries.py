"""What any page about a ticket shows."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from portal.helpdesk import attachments
from portal.helpdesk.models import Attachment, Entry, Ticket


def entries_of(ticket: Ticket) -> QuerySet[Entry]:
    """What the requester may read, with its files."""
    return ticket.entries.public().prefetch_related("attachments")


def file_response(attachment: Attachment) -> HttpResponse:
    """The file as a download, whatever type its sender claimed."""
    data = attachments.read(attachment)
    response = HttpResponse(data, content_type="application/octet-stream")
    disposition = content_disposition_header(True, attachment.name)
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
