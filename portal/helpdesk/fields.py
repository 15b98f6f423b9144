"""Form fields for scanned attachments and for e-mail addresses."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from engine.mail.address import Address, InvalidAddressError
from engine.mail.composer import Attachment as File
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.helpdesk import attachments
from portal.helpdesk.attachments import ScannedFiles


class FilesInput(forms.FileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True


class ScannedFilesField(forms.FileField):
    """Several files, which `clean` scans and returns as ScannedFiles.

    `by` is the person who uploads them, for the record of a virus found; None for a
    visitor without an account.
    """

    widget = FilesInput
    by: Person | None = None

    def clean(self, data: Any, initial: Any = None) -> ScannedFiles:
        chosen = data if isinstance(data, list | tuple) else [data]
        uploads = [super(ScannedFilesField, self).clean(one) for one in chosen if one]
        if sum(upload.size or 0 for upload in uploads) > attachments.MAX_TOTAL_BYTES:
            raise ValidationError(
                "The files are larger than 20 MB together. Add fewer."
            )
        try:
            return attachments.scan([_file(upload) for upload in uploads], by=self.by)
        except PolicyError as refusal:
            raise ValidationError(str(refusal)) from refusal


def _file(upload: Any) -> File:
    return File(upload.name or "file", upload.content_type or "", upload.read())


class FilesForm(forms.Form):
    """A form with attachments, uploaded by a member or, with by=None, by a visitor."""

    def __init__(self, *args: Any, by: Person | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(ScannedFilesField, self.fields["attachments"]).by = by


class AddressField(forms.CharField):
    """Any e-mail address; cleaned to the normalised key under which it is looked up."""

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
