"""Images that editors upload: decoded completely and scanned before they are stored."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from PIL import Image, ImageFile, ImageSequence
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

from engine.queue.notifications import upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Person

# Pixels of all frames together: a camera's 24 megapixels, decoded in about 100 MB.
MAX_PIXELS = 40_000_000
# What Pillow 13 raises for files whose content does not match their first bytes.
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_ONE_AT_A_TIME = threading.Lock()
BROKEN_TEXT = "This picture is damaged or incomplete. Save it again in your image program, then upload the new file."


class WholePictureField(WagtailImageField):
    """Accepts only images that decode completely, so that no page fails to show one.

    Wagtail checks the first bytes only, and then fails on the size of a broken image.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_image_pixels = MAX_PIXELS

    def to_python(self, data: Any) -> Any:
        try:
            file = super().to_python(data)
            if file is not None:
                _decode(file)
        except BROKEN as error:
            raise ValidationError(BROKEN_TEXT, code="invalid_image") from error
        return file


def _decode(file: Any) -> None:
    """Decodes every frame. Raises one of BROKEN."""
    with _strictly(), Image.open(file.file) as picture:
        for frame in ImageSequence.Iterator(picture):
            frame.load()
    file.seek(0)


@contextmanager
def _strictly() -> Iterator[None]:
    """Makes Pillow refuse truncated images, in one thread at a time.

    WeasyPrint 70 sets LOAD_TRUNCATED_IMAGES for the whole process, so that missing parts
    turn grey. A PDF rendered at the same moment is not affected: our pictures are whole.
    """
    with _ONE_AT_A_TIME:
        before = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


class ScannedImageForm(BaseImageForm):
    """Wagtail's image form, refusing infected, unscanned and broken files."""

    def __init__(self, *args: Any, user: Person | None = None, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self._by = user
        theirs = self.fields.get("file")
        if theirs is not None:
            self.fields["file"] = WholePictureField(
                label=theirs.label, required=theirs.required, widget=theirs.widget
            )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file is None or "file" not in self.changed_data:
            return file
        try:
            upload_scan.check_can_carry(
                file.read(), name=file.name or "", content_type=file.content_type or ""
            )
            file.seek(0)
            upload_scan.check_is_clean(file.read(), name="the picture", by=self._by)
        except PolicyError as refusal:
            raise ValidationError(str(refusal)) from refusal
        finally:
            file.seek(0)
        return file
