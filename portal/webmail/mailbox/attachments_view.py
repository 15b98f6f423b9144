"""Attachments in place: previews of pictures and PDFs, and all files in one archive.

A preview is served as the type that its octets show it to be, whatever the message calls it,
and under a policy by which nothing but a picture or a PDF can come of it. Under emergency
access files are downloaded one by one, so that the report names each.
"""

from __future__ import annotations

import io
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, cast

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from PIL import Image

from engine.blobs import store
from engine.mail.mime.file_names import from_title
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.rendering import parsed_message
from portal.webmail.rendering.message_page import FILES_SHOWN
from portal.webmail.rendering.parsed_message import ShownAttachment

PDF = "application/pdf"
PICTURES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
# Octets of a file that is previewed, and that are read to learn what it is.
PREVIEW_OCTETS = 20 * 1024 * 1024
START = 64 * 1024
# A small file can hold a picture that takes gigabytes of memory.
PIXELS = 50_000_000
# Files of one message that are previewed.
PREVIEWS = 12
# Octets of an archive that needs no file.
IN_MEMORY = 4 * 1024 * 1024

PICTURE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'self'"
# Browsers show PDFs in viewers of their own, and not at all in a sandbox.
PDF_POLICY = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)

# What Pillow raises on hostile or cut-off octets.
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    EOFError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file can be shown as; a picture has its size in pixels."""

    content_type: str
    width: int = 0
    height: int = 0

    @property
    def is_pdf(self) -> bool:
        """Whether it is a PDF, not a picture."""
        return self.content_type == PDF


@dataclass(frozen=True, slots=True)
class PreviewedFile:
    """A file of a message that its page shows in place."""

    file: ShownAttachment
    preview: Preview


def file_context(files: list[ShownAttachment]) -> dict[str, object]:
    """Returns the template context of the previews, and of the archive's link."""
    return {"previews": previews_of(files), "archived": len(archived(files))}


def previews_of(files: Iterable[ShownAttachment]) -> list[PreviewedFile]:
    """Returns the first files that can be shown in place."""
    found: list[PreviewedFile] = []
    for file in files:
        shown = preview_of(file)
        if shown is not None:
            found.append(PreviewedFile(file, shown))
        if len(found) == PREVIEWS:
            break
    return found


def preview_of(file: ShownAttachment) -> Preview | None:
    """Returns how a file can be shown in place, by its octets; None for most files."""
    if file.is_message or not 0 < file.size <= PREVIEW_OCTETS or file.is_active:
        return None
    start = file.part.start(START)
    if start.startswith(b"%PDF-"):
        return Preview(PDF)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures, which are refused below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(start), formats=list(PICTURES)) as picture:
                width, height = picture.size
                kind = PICTURES.get(picture.format or "")
    except _UNREADABLE:
        return None
    if kind is None or not 0 < width * height <= PIXELS:
        return None
    return Preview(kind, width, height)


@requires_mail
@require_safe
@xframe_options_sameorigin
def preview(request: HttpRequest, message_id: int, path: str) -> HttpResponse:
    """Serves a picture or a PDF to be shown in the message's page."""
    _, message = accessible_mailboxes(request).message(message_id)
    found = parsed_message.parse_stored(message).part(path)
    shown = preview_of(found[0]) if found else None
    if found is None or shown is None:
        raise Http404
    file, part = found
    response = HttpResponse(part.data(), content_type=shown.content_type)
    disposition = content_disposition_header(False, file.name)
    response["Content-Disposition"] = disposition or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    policy = PDF_POLICY if shown.is_pdf else PICTURE_POLICY
    response["Content-Security-Policy"] = policy
    return response


@requires_mail
@require_safe
def all_files(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """Downloads the attachments as one archive, without those that need a warning."""
    _, message = accessible_mailboxes(request).message(message_id)
    parsed = parsed_message.parse_stored(message)
    files = archived(parsed.attachments)
    if not files:
        raise Http404
    name = from_title(message.subject) or "attachments"
    response = FileResponse(_archive(files), as_attachment=True, filename=f"{name}.zip")
    response["Content-Type"] = "application/octet-stream"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def archived(files: Iterable[ShownAttachment]) -> list[ShownAttachment]:
    """Returns the files of the archive: those that are listed and need no warning."""
    return [file for file in [*files][:FILES_SHOWN] if not file.is_active]


def _archive(files: Iterable[ShownAttachment]) -> IO[bytes]:
    """Writes the archive: a large one to a file without a name.

    Nothing is compressed: most attachments are, and it would cost more than it saves.
    """
    # The response closes it.
    target = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(store.spool_folder()))  # noqa: SIM115
    taken: set[str] = set()
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for file in files:
                entry = zipfile.ZipInfo(_free_name(file.name, taken))
                entry.external_attr = 0o600 << 16
                archive.writestr(entry, file.part.data())
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return cast(IO[bytes], target)


def _free_name(name: str, taken: set[str]) -> str:
    """Returns the name, with a number where another file has it, in any case."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, f".{ending}") if dot and stem else (name, "")
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{stem} ({number}){ending}"
    taken.add(free.casefold())
    return free
