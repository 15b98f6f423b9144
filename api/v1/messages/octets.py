"""Answers that are no JSON: a message, a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer


class OctetsRenderer(BaseRenderer):
    """Octets as they are, whatever the caller accepts; a problem is JSON even here."""

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
