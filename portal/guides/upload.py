"""Pictures that editors bring: looked at by the scanner before they are kept."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from wagtail.images.forms import BaseImageForm

from engine.queue import uploads
from engine.registry.errors import PolicyError
from engine.registry.models import Person


class ScannedImageForm(BaseImageForm):
    """Wagtail's own form, which takes nothing infected and nothing unscanned."""

    def __init__(self, *args: Any, user: Person | None = None, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self._by = user

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file is None or "file" not in self.changed_data:
            return file
        try:
            uploads.check_is_clean(file.read(), name="the picture", by=self._by)
        except PolicyError as refusal:
            raise ValidationError(str(refusal)) from refusal
        finally:
            file.seek(0)
        return file
