"""The OAuth 2 token endpoint: every request is answered as RFC 6749 §5 says."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api.auth.oauth import PEER, token_endpoint
from api.framework.parsers import MAX_BODY_BYTES, BoundedFormParser


class TokenRequestSerializer(serializers.Serializer[Any]):
    """The form of a token request (RFC 6749 §4.4.2)."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    scope = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)


class TokenSerializer(serializers.Serializer[Any]):
    """An access token as RFC 6749 §5.1 returns it."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    scope = serializers.CharField()


class TokenRefusedSerializer(serializers.Serializer[Any]):
    """An error as RFC 6749 §5.2 returns it."""

    error = serializers.CharField(help_text="RFC 6749 §5.2.")
    error_description = serializers.CharField(required=False)


REFUSED = OpenApiResponse(TokenRefusedSerializer, "Refused")
FORM = "application/x-www-form-urlencoded"
# Many more than a request has, and few enough to parse.
MAX_FIELDS = 20


class InvalidRequestError(Exception):
    """The request is malformed (`invalid_request`). The message says how."""


class AlwaysJson(DefaultContentNegotiation):
    """Answers in JSON whatever the client accepts: RFC 6749 §5 knows nothing else."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class Tokens(APIView):
    """Exchanges an API key for an access token (RFC 6749 §4.4).

    Send the client's id and secret by Basic authentication or in the body.
    """

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    throttle_classes: list[type[BaseThrottle]] = []
    # Only for the document: `_form` reads the body, to refuse it as OAuth does.
    parser_classes = [BoundedFormParser]
    content_negotiation_class = AlwaysJson

    @extend_schema(
        summary="Get an access token",
        request=TokenRequestSerializer,
        responses={200: TokenSerializer, 400: REFUSED, 401: REFUSED},
    )
    def post(self, request: Request) -> Response:
        authorization = request.headers.get("Authorization", "")
        try:
            form = _form(request)
            if authorization and "client_secret" in form:
                raise InvalidRequestError("Send the secret in one place only.")
        except InvalidRequestError as error:
            refused = {"error": "invalid_request", "error_description": str(error)}
            return _response(refused, status.HTTP_400_BAD_REQUEST)
        sent_headers = {
            "Authorization": authorization,
            "Content-Type": FORM,
            PEER: request.META.get("REMOTE_ADDR", ""),
        }
        # Without the query: credentials must not come in it (RFC 6749 §2.3.1), and the
        # library fails at one that is not urlencoded.
        _, body, code = token_endpoint.create_token_response(
            request.path, "POST", form, sent_headers
        )
        return _response(json.loads(body), code)


def _response(data: dict[str, Any], code: int) -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if code == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="Postern"'
    return Response(data, status=code, headers=headers)


def _form(request: Request) -> dict[str, str]:
    """Returns the fields of the body. Raises InvalidRequestError."""
    kind = (request.META.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise InvalidRequestError(f"Send the request as {FORM}.")
    body = request._request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequestError("The request is too large.")
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise InvalidRequestError("The body is not urlencoded text.") from error
    form = dict(fields)
    if len(form) < len(fields):
        raise InvalidRequestError("A parameter comes twice.")
    # Those without a value count as left out, and others are ignored (RFC 6749 §3.2).
    known = TokenRequestSerializer().fields
    return {name: value for name, value in form.items() if value and name in known}
