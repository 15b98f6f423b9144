"""Notices about a mailbox. None of them says what is in any message."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from engine.backend import ServiceMessage
from engine.storage.models import Export


def tell_of_export(export: Export) -> None:
    """Tell whoever holds the mailbox that a copy of it was made, and who asked."""
    path = reverse("webmail:exports", args=[export.mailbox_id])
    context = {
        "export": export,
        "link": urljoin(settings.POSTERN.site_url, path),
        "community_name": settings.POSTERN.community_name,
    }
    body = render_to_string("webmail/email/export.txt", context)
    subject = f"{settings.POSTERN.community_name}: a copy of your mailbox"
    message = ServiceMessage(subject, body, to=[export.mailbox.address])
    # An export is made once: whatever job finds it ready, the notice is the same.
    message.key = f"export-{export.pk}"
    message.send()
