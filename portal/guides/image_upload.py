"""Pictures that editors bring: looked at by the scanner before they are kept."""

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
MOST_PIXELS = 40_000_000
# What Pillow 13 raises for a file that is not the picture it begins as.
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
BROKEN_TEXT = "This picture is damaged or incomplete. Save it again, and upload that."


class WholePictureField(WagtailImageField):
    """Takes a picture that can be read to its end, so that no page fails to show it.

    Wagtail looks at the first octets only, and asks what is broken for its size.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_image_pixels = MOST_PIXELS

    def to_python(self, data: Any) -> Any:
        try:
            file = super().to_python(data)
            if file is not None:
                _decode(file)
        except BROKEN as error:
            raise ValidationError(BROKEN_TEXT, code="invalid_image") from error
        return file


def _decode(file: Any) -> None:
    """Read every frame to its end. Raises one of BROKEN."""
    with _strictly(), Image.open(file.file) as picture:
        for frame in ImageSequence.Iterator(picture):
            frame.load()
    file.seek(0)


@contextmanager
def _strictly() -> Iterator[None]:
    """Has Pillow refuse what is cut short, one thread at a time.

    WeasyPrint 70 tells it, for the whole process, to fill what is missing with grey. A
    letter made at the same moment would leave out a broken picture; ours are whole.
    """
    with _ONE_AT_A_TIME:
        before = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


class ScannedImageForm(BaseImageForm):
    """Wagtail's own form, which takes nothing infected, unscanned or broken."""

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
