"""Request parsers that bound the size and nesting of what they read."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any

from rest_framework import exceptions
from rest_framework.parsers import FormParser, JSONParser

# Bytes of a request that carries no files, and levels of nesting in its JSON.
MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 20


class TooLarge(exceptions.APIException):
    """The body of the request is larger than the operation takes."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request is too large. Send a smaller one."


class BoundedJSONParser(JSONParser):
    """Parses JSON of at most `view.largest_body` bytes and MAX_DEPTH levels."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        view = (parser_context or {}).get("view")
        largest = getattr(view, "largest_body", MAX_BODY_BYTES)
        body = _read_bounded(stream, largest)
        try:
            data = super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The JSON is nested too deeply.") from None
        check_depth(data)
        return data


class BoundedFormParser(FormParser):
    """Parses a URL-encoded form of at most MAX_BODY_BYTES, as OAuth requires it."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        form = BytesIO(_read_bounded(stream, MAX_BODY_BYTES))
        return super().parse(form, media_type, parser_context)


def check_depth(data: object) -> None:
    """Raises ParseError for values nested deeper than MAX_DEPTH.

    Walks level by level: a recursive walk would itself overflow on a hostile body.
    """
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _children(one)]
        if not level:
            return
    raise exceptions.ParseError("The JSON is nested too deeply.")


def _read_bounded(stream: IO[Any], largest: int) -> bytes:
    body: bytes = stream.read(largest + 1)
    if len(body) > largest:
        raise TooLarge
    return body


def _children(data: object) -> list[object]:
    if isinstance(data, Mapping):
        return list(data.values())
    return list(data) if isinstance(data, list) else []
