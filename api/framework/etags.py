"""Entity tags and conditional changes (RFC 9110 §8.8.3, §13.1)."""

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


class PreconditionFailed(exceptions.APIException):
    """The row has changed since the caller read the version that If-Match names."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_detail = (
        "This has changed since you read it. Read it again, then repeat the change."
    )


def etag(data: object) -> str:
    """Returns a strong entity tag computed from the representation."""
    text = json.dumps(data, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def response_with_etag(data: Any) -> Response:
    """Returns a response that shows one row, with its entity tag."""
    return Response(data, headers={"ETag": etag(data)})


def check_if_match(handler: Handler) -> Handler:
    """Decorates a change to be refused where If-Match names an earlier version.

    The comparison and the change are one transaction, which first takes the lock of all
    changes to the registry: no other change can come between them.
    """

    @wraps(handler)
    def conditional(
        view: GenericViewSet[Any], request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        wanted = request.headers.get("If-Match", "")
        if not wanted:
            return handler(view, request, *args, **kwargs)
        with transaction.atomic():
            change_log.lock()
            current = etag(view.get_serializer(view.get_object()).data)
            if wanted != "*" and current not in [w.strip() for w in wanted.split(",")]:
                raise PreconditionFailed
            return handler(view, request, *args, **kwargs)

    conditional.takes_if_match = True  # type: ignore[attr-defined]
    return conditional
