"""Pictures of guides: bundled screenshots, and images that editors upload."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from django.templatetags.static import static
from PIL import Image

FOLDER = Path(__file__).parent.parent / "static" / "guides" / "pictures"
LONGEST_SIDE = 1000  # pixels of an editor's own picture
_NAME = re.compile(r"[a-z0-9-]{1,60}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on a page. The size reserves its space while it loads."""

    src: str
    width: int
    height: int
    alt: str
    caption: str


class Source(Protocol):
    """Converts a picture block for a web page or a PDF."""

    def __call__(self, block: Any) -> Shown | None: ...


def exists(name: str) -> bool:
    """Returns whether a bundled screenshot of that name exists."""
    return bool(_NAME.fullmatch(name)) and _path(name).exists()


def on_page(block: Any) -> Shown | None:
    """Returns a picture by URL; None where it no longer exists."""
    if block["image"]:
        rendition = block["image"].get_rendition(f"width-{LONGEST_SIDE}|format-webp")
        size = (rendition.width, rendition.height)
        return _shown(block, rendition.url, size)
    if not exists(block["built_in"]):
        return None
    name = block["built_in"]
    return _shown(block, static(f"guides/pictures/{name}.webp"), _size(name))


def in_pdf(block: Any) -> Shown | None:
    """Returns a picture as a data URL, because rendering a PDF must fetch nothing."""
    if block["image"]:
        rendition = block["image"].get_rendition(f"width-{LONGEST_SIDE}|format-webp")
        with rendition.file.open("rb") as file:
            data = file.read()
        return _shown(block, _inline(data), (rendition.width, rendition.height))
    if not exists(block["built_in"]):
        return None
    name = block["built_in"]
    return _shown(block, _inline(_path(name).read_bytes()), _size(name))


def _shown(block: Any, src: str, size: tuple[int, int]) -> Shown:
    return Shown(src, *size, alt=block["alt"], caption=block["caption"] or "")


def _inline(data: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _path(name: str) -> Path:
    return FOLDER / f"{name}.webp"


@cache
def _size(name: str) -> tuple[int, int]:
    with Image.open(_path(name)) as image:
        return image.size
