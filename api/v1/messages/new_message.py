"""The request to send a message: as JSON, or as JSON with files beside it."""

from __future__ import annotations

import json
from binascii import Error, a2b_base64
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.request import Request

from api.framework.parsers import check_depth
from api.framework.request_validation import (
    IdField,
    RequestSerializer,
    validated,
    validated_json,
)
from engine.mail.address import Address, InvalidAddressError
from engine.mail.composer import Attachment

MAX_RECIPIENTS = 500
MAX_FILES = 100


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class AddressField(serializers.CharField):
    """An address such as jane@court.example."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        text = super().run_validation(data)
        try:
            return Address.parse(text)
        except InvalidAddressError as error:
            raise serializers.ValidationError(f"Not an address: {error}.") from error


class AddressesField(serializers.ListField):
    """A list of at most MAX_RECIPIENTS addresses."""

    child = AddressField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_RECIPIENTS, **kwargs)


@extend_schema_field(
    {
        "type": "string",
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    }
)
class Base64Field(serializers.CharField):
    """Bytes in base64 (RFC 4648 §4)."""

    def run_validation(self, data: Any = empty) -> Any:
        text = super().run_validation(data)
        try:
            return a2b_base64(text, strict_mode=True)
        except (Error, ValueError) as error:
            raise serializers.ValidationError("Not base64.") from error


class NewFile(RequestSerializer):
    """A file to attach."""

    name = serializers.CharField(max_length=200)
    content_type = serializers.RegexField(
        r"^[\w.+-]{1,80}/[\w.+-]{1,80}\Z",
        default="application/octet-stream",
    )
    content = Base64Field(
        allow_blank=True, trim_whitespace=False, help_text="In base64 (RFC 4648 §4)."
    )

    def to_internal_value(self, data: Any) -> Any:
        fields = super().to_internal_value(data)
        return Attachment(fields["name"], fields["content_type"], fields["content"])


class NewMessage(RequestSerializer):
    """A message to send."""

    mailbox = IdField(help_text="The mailbox that the message is sent from.")
    sender = AddressField(
        required=False,
        help_text="An address with a detail, such as duty+case7@court.example for the "
        "mailbox duty@court.example. Without it, the mailbox's own address.",
    )
    to = AddressesField(min_length=1)
    cc = AddressesField(default=list)
    bcc = AddressesField(default=list)
    subject = serializers.CharField(max_length=300, allow_blank=True)
    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    html = serializers.CharField(required=False, allow_null=True, trim_whitespace=False)
    attachments = serializers.ListField(
        child=NewFile(), max_length=MAX_FILES, default=list
    )
    in_reply_to = serializers.CharField(
        max_length=300,
        default="",
        allow_blank=True,
        help_text="The Message-ID of the message that this one answers.",
    )


class SentSerializer(serializers.Serializer[Any]):
    """The message that was accepted for delivery."""

    reference = serializers.CharField(help_text="Its reference in traces.")
    id = serializers.IntegerField(
        allow_null=True, help_text="The copy in Sent; null once the copy was deleted."
    )


# The request body as multipart/form-data; RFC 7578.
WITH_FILES = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"$ref": "#/components/schemas/NewMessageRequest"},
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
}


def validated_message(request: Request) -> dict[str, Any]:
    """Returns the fields of NewMessage, files included. Raises ValidationError."""
    if not isinstance(request.data, QueryDict):
        return validated(request, NewMessage)
    files = request.FILES.getlist("files")
    if len(files) > MAX_FILES:
        raise ValidationError({"files": [f"At most {MAX_FILES} files."]})
    message = _parse_json(request.data.get("message", ""))
    fields = validated_json(message, NewMessage)
    fields["attachments"] = [*fields["attachments"], *map(_attachment, files)]
    return fields


def _parse_json(part: str | UploadedFile[Any]) -> object:
    """Parses the part `message`, which some clients send as a file."""
    try:
        data = json.loads(part.read() if isinstance(part, UploadedFile) else part)
    except (ValueError, RecursionError) as error:
        raise ValidationError({"message": ["Not JSON."]}) from error
    check_depth(data)
    return data


def _attachment(file: UploadedFile[Any]) -> Attachment:
    content_type = file.content_type or "application/octet-stream"
    return Attachment(file.name or "file", content_type, file.read())
