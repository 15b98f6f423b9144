"""The OAuth 2 token endpoint."""

from __future__ import annotations

import json
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api.auth.oauth import PEER, token_endpoint
from api.framework.parsers import BoundedFormParser


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


class Tokens(APIView):
    """Exchanges an API key for an access token (RFC 6749 §4.4).

    Send the client's id and secret by Basic authentication or in the body.
    """

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    throttle_classes: list[type[BaseThrottle]] = []
    parser_classes = [BoundedFormParser]

    @extend_schema(
        summary="Get an access token",
        request=TokenRequestSerializer,
        responses={200: TokenSerializer, 400: REFUSED, 401: REFUSED},
    )
    def post(self, request: Request) -> Response:
        sent_headers = {
            "Authorization": request.headers.get("Authorization", ""),
            "Content-Type": "application/x-www-form-urlencoded",
            PEER: request.META.get("REMOTE_ADDR", ""),
        }
        form = request.data.dict() if isinstance(request.data, QueryDict) else {}
        headers, body, status = token_endpoint.create_token_response(
            request.build_absolute_uri(), "POST", form, sent_headers
        )
        return Response(json.loads(body), status=status, headers=headers)
