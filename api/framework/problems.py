"""Turns every error into problem details (RFC 9457) that reveal nothing internal."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from api.framework.parsers import TooLarge
from api.framework.problem_types import ProblemType, type_of_status
from engine.database import transient_errors
from engine.mail.errors import MailError, PermanentFailure
from engine.queue.sending_rates.rate_limits import RateExceededError
from engine.registry.errors import PolicyError

CONTENT_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class Conflict(exceptions.APIException):
    """The request does not fit the current state of the resource."""

    status_code = HTTPStatus.CONFLICT
    default_detail = "This conflicts with the current state. Read it again."


class MessageRefused(Conflict):
    """The message may not be sent as it is."""

    problem_type = ProblemType.MESSAGE_REFUSED


class RequestInProgress(Conflict):
    """Another request with the same Idempotency-Key has not been answered yet."""

    problem_type = ProblemType.REQUEST_IN_PROGRESS
    default_detail = (
        "The first request with this key is still in progress. Repeat this one in a "
        "moment."
    )


class IdempotencyKeyReused(exceptions.APIException):
    """The Idempotency-Key belongs to another request."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = (
        "This Idempotency-Key was used for another request. Choose a new one."
    )


class TemporarilyUnavailable(exceptions.APIException):
    """A temporary failure of the service: the same request may succeed later."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The service cannot do this at the moment. Try again later."


class SendingRateExceeded(exceptions.APIException):
    """A sending rate is used up; Retry-After says when to try again (RFC 9110 §10.2.3)."""

    status_code = HTTPStatus.TOO_MANY_REQUESTS
    problem_type = ProblemType.SENDING_RATE

    def __init__(self, error: RateExceededError) -> None:
        super().__init__(error.reply.text)
        self.wait = error.retry_after  # the REST framework copies it into Retry-After


class UnknownAddress(APIView):
    """Answers requests for paths that do not exist with problem details, not HTML."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404

    def get(self, request: Request) -> Response:
        raise Http404


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """Returns the response to any exception; an internal error is logged, not shown."""
    error_shown = _as_api_exception(error)
    response = exception_handler(error_shown, dict(context))
    if response is None and transient_errors.is_transient(error):
        log.error("The API cannot reach or store its data", exc_info=error)
        response = Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(transient_errors.RETRY_SECONDS)
        return _as_problem(response, transient_errors.MESSAGE, [])
    if response is None:
        log.error("The API failed", exc_info=error)
        response = Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        return _as_problem(
            response,
            "Something went wrong in the service. It has been recorded; try again later.",
            [],
        )
    if isinstance(error, exceptions.ValidationError):
        fields = list(_field_errors(error.detail, ""))
        return _as_problem(
            response,
            "Some fields of the request are not valid; see `errors`.",
            fields,
            ProblemType.INVALID_FIELDS,
        )
    kind = getattr(error_shown, "problem_type", None)
    return _as_problem(response, _detail(response), [], kind)


def _as_api_exception(error: Exception) -> Exception:
    """Returns the REST framework's exception for one of Django's or the engine's."""
    if isinstance(error, PolicyError):
        return Conflict(str(error))
    if isinstance(error, RateExceededError):
        return SendingRateExceeded(error)
    if isinstance(error, PermanentFailure):
        return MessageRefused(error.reply.text)
    if isinstance(error, MailError):
        return TemporarilyUnavailable(error.reply.text)
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError()
    if isinstance(error, Http404):
        # The same for another organisation's row: its existence is not disclosed.
        return exceptions.NotFound(
            "This address does not exist, or the key has no access to it."
        )
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error


def _detail(response: Response) -> str:
    data = response.data
    return str(data["detail"]) if isinstance(data, Mapping) and "detail" in data else ""


def _field_errors(detail: object, pointer: str) -> Iterator[dict[str, str]]:
    """Yields each error with a JSON pointer (RFC 6901) to its field in the request."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{_escape(str(name))}"
            yield from _field_errors(inner, pointer + step)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            is_text = isinstance(inner, str)
            step = "" if is_text else f"/{number}"
            yield from _field_errors(inner, pointer + step)
    elif isinstance(detail, str):
        yield {"pointer": pointer, "detail": str(detail)}


def _escape(name: str) -> str:
    # RFC 6901 §3
    return name.replace("~", "~0").replace("/", "~1")


def _as_problem(
    response: Response,
    detail: str,
    fields: list[dict[str, str]],
    kind: ProblemType | None = None,
) -> Response:
    status = HTTPStatus(response.status_code)
    kind = kind or type_of_status(status)
    response.data = {
        "type": kind.uri,
        "title": kind.title,
        "status": status.value,
        "detail": detail,
    }
    if fields:
        response.data["errors"] = fields
    response.content_type = CONTENT_TYPE
    return response
