"""The OpenAPI document, made once: it costs half a second, and anybody may ask."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from engine.registry.access import public

# drf-spectacular (0.30) keeps what it has seen so far in places that all threads share.
_making = threading.Lock()


@public
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_octets(), content_type=OpenApiJsonRenderer.media_type)


def document() -> dict[str, Any]:
    """The document. It depends on the code alone, so it lasts as long as the process."""
    with _making:
        return _document()


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator().get_schema(public=True)
    return made


@lru_cache(maxsize=1)
def _octets() -> bytes:
    renderer: Any = OpenApiJsonRenderer()
    return bytes(renderer.render(document()))
