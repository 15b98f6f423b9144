"""Changing only what one has read: entity tags (RFC 9110 §8.8.3, §13.1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.db import transaction
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from engine.registry import change_log

Handler = Callable[..., Response]


class Changed(exceptions.APIException):
    """Somebody else changed it since the caller read it."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_detail = "This has changed since you read it. Read it again."


def tag(data: object) -> str:
    """The same for the same answer, another for another."""
    text = json.dumps(data, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def tagged(data: Any) -> Response:
    """An answer that shows one thing, with its entity tag."""
    return Response(data, headers={"ETag": tag(data)})


def if_unchanged(handler: Handler) -> Handler:
    """Refuse the change where If-Match names an earlier state of the thing.

    Whoever changes the registry takes turns, so nobody comes in between.
    """

    @wraps(handler)
    def checked(
        view: GenericViewSet[Any], request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        wanted = request.headers.get("If-Match", "")
        if not wanted:
            return handler(view, request, *args, **kwargs)
        with transaction.atomic():
            change_log.bump()
            now = tag(view.get_serializer(view.get_object()).data)
            if wanted != "*" and now not in [w.strip() for w in wanted.split(",")]:
                raise Changed
            return handler(view, request, *args, **kwargs)

    checked.takes_if_match = True  # type: ignore[attr-defined]
    return checked
