"""Cursor pagination for lists."""

from __future__ import annotations

from typing import Any

from django.core import signing
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

SALT = "api.cursor"


class SignedCursorPagination(CursorPagination):
    """Lists the newest rows first, in pages that begin after the last row shown.

    Rows added in the meantime shift nothing. The cursor is signed, so that a client
    cannot make one up with a large offset, which the database would have to count through.
    """

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get("limit")
        if text is None:
            return self.page_size
        is_number = text.isascii() and text.isdigit() and len(text) <= 3
        if not is_number or not 1 <= int(text) <= self.max_page_size:
            raise ValidationError(
                {"limit": [f"Must be from 1 to {self.max_page_size}."]}
            )
        return int(text)

    def decode_cursor(self, request: Request) -> Cursor | None:
        text = request.query_params.get("cursor")
        if text is None:
            return None
        try:
            offset, is_reverse, position = signing.loads(text, salt=SALT)
        except signing.BadSignature:
            detail = (
                "This cursor is not valid. Use the one from `next` or `previous` of "
                "another page, unchanged."
            )
            raise NotFound(detail) from None
        return Cursor(offset, is_reverse, position)

    def encode_cursor(self, cursor: Cursor) -> str:
        text = signing.dumps(list(cursor), salt=SALT)
        return replace_query_param(str(self.base_url), "cursor", text)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describes a page in the words of OpenAPI 3.1, which has no `nullable`."""

        def link(description: str) -> dict[str, Any]:
            return {
                "type": ["string", "null"],
                "format": "uri",
                "description": description,
            }

        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link("The page of older rows; null on the last."),
                "previous": link("The page of newer rows; null on the first."),
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "From `next` or `previous` of another page.",
                "schema": {"type": "string", "minLength": 1},
            },
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "The number of rows on one page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.max_page_size,
                    "default": self.page_size,
                },
            },
        ]
