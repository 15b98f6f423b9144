"""Errors as RFC 9457 has them: what is wrong, where, and nothing of our inside."""

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
from rest_framework.response import Response
from rest_framework.views import exception_handler

from api.framework.parsers import TooLarge
from engine import faults
from engine.mail.errors import MailError, PermanentFailure
from engine.queue.sending_rates.rate_limits import RateExceededError
from engine.registry.errors import PolicyError

CONTENT_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class Conflict(exceptions.APIException):
    """What was asked does not fit the state that things are in."""

    status_code = HTTPStatus.CONFLICT
    default_detail = "This does not fit the state that things are in."


class TryLater(exceptions.APIException):
    """A passing fault of ours: the same request may succeed later."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "This cannot be done just now. Try again later."


class SendsTooMuch(exceptions.APIException):
    """A sending rate is spent; the answer says when to come back (RFC 9110 §10.2.3)."""

    status_code = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, error: RateExceededError) -> None:
        super().__init__(error.reply.text)
        self.wait = error.retry_after  # which the REST framework puts into Retry-After


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to whatever was raised. An error of ours says just that it is ours."""
    response = exception_handler(_ours(error), dict(context))
    if response is None and faults.is_passing(error):
        log.error("The API cannot keep or reach its data", exc_info=error)
        response = Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(faults.RETRY_SECONDS)
        return _as_problem(response, faults.SENTENCE, [])
    if response is None:
        log.error("The API failed", exc_info=error)
        response = Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        return _as_problem(response, "Something went wrong on our side.", [])
    if isinstance(error, exceptions.ValidationError):
        fields = list(_fields(error.detail, ""))
        return _as_problem(response, "Some of what was sent is not right.", fields)
    return _as_problem(response, _detail(response), [])


def _ours(error: Exception) -> Exception:
    """The REST framework's word for one of our own refusals."""
    if isinstance(error, PolicyError):
        return Conflict(str(error))
    if isinstance(error, RateExceededError):
        return SendsTooMuch(error)
    if isinstance(error, PermanentFailure):
        return Conflict(error.reply.text)
    if isinstance(error, MailError):
        return TryLater(error.reply.text)
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError()
    if isinstance(error, Http404):
        return exceptions.NotFound("There is nothing here that this key may see.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error


def _detail(response: Response) -> str:
    data = response.data
    return str(data["detail"]) if isinstance(data, Mapping) and "detail" in data else ""


def _fields(detail: object, pointer: str) -> Iterator[dict[str, str]]:
    """Each fault with a JSON pointer (RFC 6901) to where it stands in the request."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{_escaped(str(name))}"
            yield from _fields(inner, pointer + step)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            is_text = isinstance(inner, str)
            yield from _fields(inner, pointer if is_text else f"{pointer}/{number}")
    elif isinstance(detail, str):
        yield {"pointer": pointer, "detail": str(detail)}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _as_problem(
    response: Response, detail: str, fields: list[dict[str, str]]
) -> Response:
    status = HTTPStatus(response.status_code)
    response.data = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    if fields:
        response.data["errors"] = fields
    response.content_type = CONTENT_TYPE
    return response
