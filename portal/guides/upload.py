"""Pictures that editors bring: looked at by the scanner before they are kept."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from wagtail.images.forms import BaseImageForm

from engine.antivirus import scanner
from engine.antivirus.base import ScannerUnavailable


class ScannedImageForm(BaseImageForm):
    """Wagtail's own form, which takes nothing infected and nothing unscanned."""

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file is None or "file" not in self.changed_data:
            return file
        try:
            verdict = scanner.scan_file([file.read()])
        except ScannerUnavailable as error:
            raise ValidationError(
                "Files cannot be scanned for viruses at the moment. Try again in a few "
                "minutes."
            ) from error
        finally:
            file.seek(0)
        if verdict.is_infected:
            raise ValidationError(
                f"The virus scanner found {verdict.signature}. The picture was not taken."
            )
        return file
