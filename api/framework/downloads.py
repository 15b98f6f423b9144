"""Answers that are the bytes of a file, for operations that download one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

OCTETS = "application/octet-stream"
FILE = OpenApiResponse(OpenApiTypes.BINARY, description="The bytes.")


class BinaryRenderer(BaseRenderer):
    """Returns bytes unchanged, whatever the client accepts; a problem stays JSON."""

    media_type = "*/*"
    format = "octets"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if isinstance(data, bytes):
            return data
        return json.dumps(data, default=str).encode()


def file_response(name: str, data: bytes) -> Response:
    """Returns a file as a download under its name, for BinaryRenderer.

    Never with the sender's own content type: a browser might show HTML from our origin.
    """
    quoted = quote(name, safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quoted}"}
    return Response(data, headers=headers, content_type=OCTETS)
