"""Cursor pagination for lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

SALT = "api.cursor"
NOT_VALID = (
    "This cursor is not valid. Use the one from `next` or `previous` of another page, "
    "unchanged."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a search begins: beyond one row, or at the first where None."""

    row: int | None = None
    is_backwards: bool = False

    def links(
        self, request: Request, rows: Sequence[int], *, goes_on: bool
    ) -> dict[str, str | None]:
        """Returns `next` and `previous` of the page that holds these rows, in its order.

        `goes_on` says whether further rows follow in the direction of the page.
        """
        url = request.build_absolute_uri()
        first, last = (rows[0], rows[-1]) if rows else (self.row, self.row)
        has_next = self.is_backwards or goes_on
        has_previous = goes_on if self.is_backwards else self.row is not None
        return {
            "next": _link(url, Cursor(0, False, last)) if has_next else None,
            "previous": _link(url, Cursor(0, True, first)) if has_previous else None,
        }


class PageSerializer(serializers.Serializer[Any]):
    """The links of a page, as every list has them. Subclasses add `results`."""

    next = serializers.URLField(
        allow_null=True, help_text="The page that follows; null on the last."
    )
    previous = serializers.URLField(
        allow_null=True, help_text="The page before; null on the first."
    )


def place_of(request: Request) -> Place:
    """Returns where the page that the query asks for begins. Raises NotFound."""
    text = request.query_params.get("cursor")
    if text is None:
        return Place()
    cursor = _decode(text)
    try:
        return Place(int(str(cursor.position)), cursor.reverse)
    except ValueError:
        raise NotFound(NOT_VALID) from None


def _decode(text: str) -> Cursor:
    try:
        offset, is_reverse, position = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        raise NotFound(NOT_VALID) from None
    return Cursor(offset, is_reverse, position)


def _link(url: str, cursor: Cursor) -> str:
    return replace_query_param(url, "cursor", signing.dumps(list(cursor), salt=SALT))


def _link_schema(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "format": "uri", "description": description}


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
        return None if text is None else _decode(text)

    def encode_cursor(self, cursor: Cursor) -> str:
        return _link(str(self.base_url), cursor)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describes a page in the words of OpenAPI 3.1, which has no `nullable`."""
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": _link_schema("The page of older rows; null on the last."),
                "previous": _link_schema("The page of newer rows; null on the first."),
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
