"""Reading JSON from strangers: bounded in size and depth."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any

from rest_framework import exceptions
from rest_framework.parsers import FormParser, JSONParser

# Octets of a request that carries no files, and levels of it.
LARGEST = 1024 * 1024
DEEPEST = 20


class TooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request is too large."


class BoundedJSONParser(JSONParser):
    """JSON of at most `view.largest_body` octets, not deeper than DEEPEST."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        view = (parser_context or {}).get("view")
        largest = getattr(view, "largest_body", LARGEST)
        octets = _bounded(stream, largest)
        try:
            data = super().parse(BytesIO(octets), media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The JSON is too deep.") from None
        check_depth(data)
        return data


class BoundedFormParser(FormParser):
    """A form of words, as OAuth asks for it."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        form = BytesIO(_bounded(stream, LARGEST))
        return super().parse(form, media_type, parser_context)


def check_depth(data: object) -> None:
    """Raise ParseError for what lies too deep; level by level, so nothing recurses."""
    level = [data]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise exceptions.ParseError("The JSON is too deep.")


def _bounded(stream: IO[Any], largest: int) -> bytes:
    octets: bytes = stream.read(largest + 1)
    if len(octets) > largest:
        raise TooLarge
    return octets


def _inside(data: object) -> list[object]:
    if isinstance(data, Mapping):
        return list(data.values())
    return list(data) if isinstance(data, list) else []
