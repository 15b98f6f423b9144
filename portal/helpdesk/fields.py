from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from engine.mail.address import Address, InvalidAddressError
from engine.mail.composer import Attachment as File
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.helpdesk import attachments
from portal.helpdesk.attachments import Checked


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class CheckedFilesField(forms.FileField):
    """Any number of files, scanned; `clean` gives those that may be kept."""

    widget = FilesInput
    by: Person | None = None

    def clean(self, data: Any, initial: Any = None) -> Checked:
        chosen = data if isinstance(data, list | tuple) else [data]
        uploads = [super(CheckedFilesField, self).clean(one) for one in chosen if one]
        if sum(upload.size or 0 for upload in uploads) > attachments.MOST_OCTETS:
            raise ValidationError(
                "The files are larger than 20 MB together. Add fewer."
            )
        try:
            return attachments.checked(
                [_file(upload) for upload in uploads], by=self.by
            )
        except PolicyError as refusal:
            raise ValidationError(str(refusal)) from refusal


def _file(upload: Any) -> File:
    return File(upload.name or "file", upload.content_type or "", upload.read())


class FilesForm(forms.Form):
    """A form with files, which somebody signed in brings, or else a stranger."""

    def __init__(self, *args: Any, by: Person | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(CheckedFilesField, self.fields["attachments"]).by = by


class AddressField(forms.CharField):
    """Any e-mail address, cleaned into the form for look-ups."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        if not text:
            return ""
        try:
            return Address.parse(text).key
        except InvalidAddressError as error:
            raise ValidationError(
                "Enter an email address, like name@example.org"
            ) from error
