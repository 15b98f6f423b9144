"""A message to send, as JSON or as JSON with files beside it."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from api.framework.parsers import check_depth
from api.framework.request_validation import asked, checked
from api.v1.messages.serializers import MOST_FILES, NewMessage
from engine.mail.composer import Attachment


def said_in(request: Request) -> dict[str, Any]:
    """The message that the request holds. Raises ValidationError with each fault."""
    if not isinstance(request.data, QueryDict):
        return asked(request, NewMessage)
    files = request.FILES.getlist("files")
    if len(files) > MOST_FILES:
        raise ValidationError({"files": [f"At most {MOST_FILES}."]})
    said = checked(_json(request.data.get("message", "")), NewMessage)
    said["attachments"] = [*said["attachments"], *map(_attachment, files)]
    return said


def _json(said: str | UploadedFile[Any]) -> object:
    """The part, whether it was typed or comes out of a file."""
    try:
        data = json.loads(said.read() if isinstance(said, UploadedFile) else said)
    except (ValueError, RecursionError) as error:
        raise ValidationError({"message": ["Not JSON."]}) from error
    check_depth(data)
    return data


def _attachment(file: UploadedFile[Any]) -> Attachment:
    content_type = file.content_type or "application/octet-stream"
    return Attachment(file.name or "file", content_type, file.read())
