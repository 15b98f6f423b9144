"""Entries and downloads that every page about a ticket shows."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from portal.helpdesk import attachments
from portal.helpdesk.models import Attachment, Entry, Ticket


def entries_of(ticket: Ticket) -> QuerySet[Entry]:
    """Returns the entries that the requester may read, with all that came with them."""
    return ticket.entries.public().prefetch_related("attachments", "folded_texts")


def file_response(attachment: Attachment) -> HttpResponse:
    """Returns an attachment as a download, never with the content type its sender chose.

    The sandbox policy keeps scripts from running where a browser shows it all the same.
    """
    data = attachments.read(attachment)
    response = HttpResponse(data, content_type="application/octet-stream")
    disposition = content_disposition_header(True, attachment.name)
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
