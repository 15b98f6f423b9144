"""Bearer authentication (RFC 6750): an API key, or an access token taken out with one."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from api.auth.caller import Caller
from api.models import AccessToken
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import ApiKey
from engine.registry.scopes import IN_SANDBOX

REFUSAL = (
    "The key or token is not known, has expired or was revoked. Ask an administrator of "
    "the organisation for a new key."
)


class BearerAuthentication(BaseAuthentication):
    """Authenticates by the Authorization header (RFC 6750 §2.1).

    Browser sessions are not accepted, so that no page can make a member's browser call
    the API.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        scheme, _, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        peer = request.META.get("REMOTE_ADDR", "")
        found = _find_caller(secret.decode("latin-1").strip(), peer)
        if found is None:
            raise AuthenticationFailed(REFUSAL)
        return found, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Postern"'


def bears_valid_key(request: HttpRequest) -> bool:
    """Returns whether a request carries a valid key or token; queries the database.

    Called before the body is read, to decide whether a large one may be sent. Records no
    use of the key: the request is authenticated after it.
    """
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    peer = request.META.get("REMOTE_ADDR", "")
    if scheme.lower() != "bearer":
        return False
    return _find_caller(secret.strip(), peer, is_recorded=False) is not None


def _find_caller(secret: str, peer: str, *, is_recorded: bool = True) -> Caller | None:
    token = _find_token(secret)
    if token is not None:
        if is_recorded:
            authentication.record_api_key_use(token.key, peer=peer)
        # A scope that the key has lost since is lost for its tokens as well.
        return Caller(token.key, frozenset(token.scopes) & _scopes_of(token.key))
    key = authentication.authenticate_api_key(
        secret, peer=peer, is_recorded=is_recorded
    )
    return Caller(key, _scopes_of(key)) if key else None


def _scopes_of(key: ApiKey) -> frozenset[str]:
    """Returns the scopes of a key; of a test key never one that changes what is live."""
    scopes = frozenset(key.scopes)
    return scopes & IN_SANDBOX if key.is_test else scopes


def _find_token(secret: str) -> AccessToken | None:
    rows = AccessToken.objects.filter(
        digest__in=generated_secrets.digests(secret), expires_at__gt=timezone.now()
    )
    # Most callers bear their key. Joining all that belongs to a token that is not there
    # would take a third of their request.
    if not rows.exists():
        return None
    live = rows.filter(key__in=ApiKey.objects.live())
    return live.select_related("key__organisation", "key__made_by").first()
