"""Serves the OpenAPI document, which is generated once for each process."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from engine.registry.permissions.view_guards import public

# drf-spectacular 0.30 keeps what it has seen so far in module globals: two generators at
# the same moment would mix their components.
_generating = threading.Lock()


@public
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Returns the document as JSON. Public: it takes half a second to make, once."""
    return HttpResponse(_as_json(), content_type=OpenApiJsonRenderer.media_type)


def openapi_document() -> dict[str, Any]:
    """Returns the document. It depends on the code alone, so it is never stale."""
    with _generating:
        return _generate()


@lru_cache(maxsize=1)
def _generate() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator().get_schema(public=True)
    return made


@lru_cache(maxsize=1)
def _as_json() -> bytes:
    renderer: Any = OpenApiJsonRenderer()
    return bytes(renderer.render(openapi_document()))
