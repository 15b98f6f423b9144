"""Pictures in the text of a draft: stored with it, and shown by their own address."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from portal.webmail.drafts import attachments
from portal.webmail.drafts.attachments import Upload
from portal.webmail.models import DraftFile
from portal.webmail.rendering import written_html
from portal.webmail.rendering.html_limits import TooComplexError
from portal.webmail.rendering.message_html import PICTURE_LIMIT, PICTURES_LIMIT

# The octets that a picture of each type begins with; nothing else is shown in a page.
_STARTS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


def add(upload: Upload, *, mailbox: Mailbox, token: UUID, by: Person) -> DraftFile:
    """Scans a picture and stores it with the draft. Raises PolicyError.

    Readers show pictures up to a size; larger ones are refused, to be attached instead.
    """
    data = b"".join(upload.chunks)
    content_type = type_of(data)
    if not content_type:
        raise PolicyError(
            f"{upload.name} is not a PNG, JPEG, GIF or WebP picture. Attach it instead."
        )
    rows = DraftFile.objects.of(mailbox, token).exclude(picture_id="")
    total = sum(row.size for row in rows.select_related("content")) + len(data)
    if len(data) > PICTURE_LIMIT or total > PICTURES_LIMIT:
        raise PolicyError(
            f"{upload.name} was not put into the text: a picture in the text has at most "
            f"{filesizeformat(PICTURE_LIMIT)}, and all together "
            f"{filesizeformat(PICTURES_LIMIT)}. Attach it instead."
        )
    return attachments.add(
        Upload(upload.name, content_type, [data]),
        mailbox=mailbox,
        token=token,
        by=by,
        picture_id=f"{uuid4().hex}@{settings.POSTERN.community_domain}",
    )


def type_of(data: bytes) -> str:
    """Returns the type of a picture by its first octets; empty for anything else."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    found = (name for name, starts in _STARTS.items() if data.startswith(starts))
    return next(found, "")


def sources(mailbox: Mailbox, token: UUID) -> dict[str, str]:
    """Returns what pictures in posted HTML may refer to, and what is stored for each."""
    rows = DraftFile.objects.of(mailbox, token).exclude(picture_id="")
    found: dict[str, str] = {}
    for row in rows:
        stored = f"cid:{row.picture_id}"
        found |= {stored: stored, url(row): stored}
    return found


def shown(html: str, mailbox: Mailbox | None, token: UUID) -> str:
    """Returns stored HTML for the editor, its pictures by their addresses."""
    if mailbox is None or not html:
        return html
    rows = DraftFile.objects.of(mailbox, token).exclude(picture_id="")
    addresses = {f"cid:{row.picture_id}": url(row) for row in rows}
    try:
        return written_html.sanitise(html, addresses)
    except TooComplexError:
        return ""


def url(row: DraftFile) -> str:
    """Returns the path at which the author sees a picture."""
    return reverse("webmail:picture", args=[row.mailbox_id, row.token, row.pk])
