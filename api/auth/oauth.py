"""OAuth 2 client credentials (RFC 6749 §4.4): exchanges an API key for an access token."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from django.utils import timezone
from oauthlib.common import Request
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator

from api.models import AccessToken
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import ApiKey

TOKEN_SECONDS = 3600
# Of the headers that the library is given, the one with the client's IP address. Those
# that a client sends are not among them.
PEER = "Postern-Peer"


class KeyValidator(RequestValidator):
    """Answers oauthlib's questions about clients and scopes from API keys."""

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Accepts Basic authentication or credentials in the body (RFC 6749 §2.3.1)."""
        client_id, secret = _credentials_of(request)
        peer = request.headers.get(PEER, "")
        key = authentication.authenticate_api_key(
            secret, peer=peer, client_id=client_id
        )
        if key is None:
            return False
        request.client = key
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: ApiKey, *args: Any, **kwargs: Any
    ) -> bool:
        return grant_type == "client_credentials"

    def get_default_scopes(
        self, client_id: str, request: Request, *args: Any, **kwargs: Any
    ) -> list[str]:
        return list(request.client.scopes)

    def validate_scopes(
        self,
        client_id: str,
        scopes: list[str],
        client: ApiKey,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        return set(scopes) <= set(client.scopes)

    def save_bearer_token(
        self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        AccessToken.objects.create(
            key=request.client,
            digest=generated_secrets.digest(token["access_token"]),
            scopes=token["scope"].split(),
            expires_at=timezone.now() + timedelta(seconds=token["expires_in"]),
        )


def _credentials_of(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.client_id or "", request.client_secret or ""
    try:
        plain = base64.b64decode(encoded, validate=True).decode()
    except ValueError:  # Not base64, not ASCII or not UTF-8.
        return "", ""
    client_id, _, secret = plain.partition(":")
    # Both are urlencoded inside (RFC 6749 §2.3.1); nothing in ours needs to be.
    return unquote_plus(client_id), unquote_plus(secret)


token_endpoint = BackendApplicationServer(
    KeyValidator(),
    token_generator=lambda request: generated_secrets.new_secret(),
    token_expires_in=TOKEN_SECONDS,
)
