"""Files out of messages, handed over so that no browser runs or opens them here."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from django.http import HttpResponse
from django.utils.http import content_disposition_header

NAME_LIMIT = 120
SUFFIX_LIMIT = 12

# Whatever a file system or a shell may take for more than a name.
_UNSAFE = re.compile(r"[\\/:*?\"<>|%\x00-\x1f\x7f]+")


def safe_name(name: str, otherwise: str) -> str:
    """A file name without folders, controls or text direction tricks."""
    visible = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    cleaned = _UNSAFE.sub("_", visible).strip(" .")
    if not cleaned.strip("_"):
        return otherwise
    suffix = PurePosixPath(cleaned).suffix
    if len(suffix) > SUFFIX_LIMIT:
        suffix = ""
    return cleaned[: len(cleaned) - len(suffix)][: NAME_LIMIT - len(suffix)] + suffix


def attachment_response(data: bytes, name: str) -> HttpResponse:
    """The bytes as a download, whatever type the sender claimed."""
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
